"""Transformations of one message, and what a tenant's may see of it."""
