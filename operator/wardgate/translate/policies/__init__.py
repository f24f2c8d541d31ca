"""What is attached to routes: authentication, keys and transformations."""
