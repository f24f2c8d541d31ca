"""The listening sockets of a worker."""
