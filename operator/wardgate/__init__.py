"""Wardgate: an API-key gateway for AI APIs on Kubernetes."""

__version__ = "0.1.0"
