"""Leadership: the Lease, the election, the term of a leader, and the fence that a deposed one cannot write past."""
