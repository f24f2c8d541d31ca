"""The parts of a translation that hold as long as their inputs are the identical objects (``memo``).

Each module is one stage: its value, and the function that makes it. ``pipeline`` says in which order they come, and of
what each is made.
"""
