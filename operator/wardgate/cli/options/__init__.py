"""Options, how their values are read, and the settings that they make."""
