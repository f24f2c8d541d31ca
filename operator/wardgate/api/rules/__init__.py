"""Models with rules: bounds, patterns, conditions between fields, and the shape of a model."""
