"""ExtAuthPolicies and TransformationPolicies: read one by one, and attached to routes."""
