"""The Kubernetes API over HTTPS: requests, connections, errors, pacing, and where resources are found."""
