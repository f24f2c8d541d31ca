"""Folders like those that people have: repositories of Gloo manifests, with all that lies beside them.

Each is small, and made for these tests after the shape of some public repository.
"""
