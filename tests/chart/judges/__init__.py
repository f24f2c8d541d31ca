"""Tools of others judge what the chart renders: Kubernetes' schemas, checkov and promtool (``make chart-check``).

They are too large for the environment of the tests: checkov has an environment of its own, from locks/chart.txt.
"""
