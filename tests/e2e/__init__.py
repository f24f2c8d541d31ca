"""The whole product against a real API server: an operator and proxies as processes, with the chart's rights."""
