"""The verdict on every object and its counts, from the results of all stages."""
