"""Which routes a policy selects, and why it selects none."""
