"""The overview of an installation: asked for once, shown on a screen or as a document."""
