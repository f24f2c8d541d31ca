"""A proxy inside a command, fed from a folder, a file or a cluster."""
