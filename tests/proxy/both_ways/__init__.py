"""The two ways of a request through the data plane, the fast and the general one, compared byte by byte.

``oracle`` plays one conversation on two gateways that differ in a setting alone, and tells what differs.
"""
