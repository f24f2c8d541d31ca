"""One Kubernetes node with real pods, from Debian packages and programs built here, in namespaces of its own."""
