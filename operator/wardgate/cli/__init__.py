"""The command line: thin, and the only place that prints. What the commands do is done below it."""
