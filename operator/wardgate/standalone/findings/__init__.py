"""Findings for a person or a CI job: where to mend what, grouped by cause, told when they come and go."""
