"""Figures of the tree and of its processes: how many rooms, doors and steps there are, and what standing still costs.

    python -m benchmarks.house [--checkout DIR]... [--source-only] [--json]

A checkout is read as text and run as programs, with its own environment (``make install`` there). Nothing of it is
imported, so that any other state of the tree can be measured with the same ruler.
"""
