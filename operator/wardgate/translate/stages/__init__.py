"""The parts of a translation that hold while their inputs are the identical objects (``incremental.memo``).

Each module is one stage: its value, and the function that makes it. ``pipeline`` tells their order and inputs.
"""
