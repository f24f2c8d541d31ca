"""The verdict on every object, and its counts, from all that the stages came to."""
