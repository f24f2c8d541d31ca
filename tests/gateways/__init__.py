"""``make bench``: the parts that need no server, and one small measurement of Wardgate alone."""
