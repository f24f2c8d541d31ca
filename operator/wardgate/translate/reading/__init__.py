"""From a stored manifest to its model, and to the version of the object that is served."""
