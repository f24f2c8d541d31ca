"""Authentication: keys and passwords, checked within bounds."""
