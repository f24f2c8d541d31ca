"""A stored manifest turned into its model, and the form of the object that is served."""
