"""Who leads: the Lease, the election, and the fence that a deposed leader cannot write past."""
