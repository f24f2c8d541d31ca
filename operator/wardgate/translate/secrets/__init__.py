"""Secrets and files that other objects name, and key Secrets: decoded, indexed, never shown."""
