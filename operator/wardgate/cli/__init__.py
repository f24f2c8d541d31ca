"""The command line: thin, and the only place that prints. The work of the commands is done below it."""
