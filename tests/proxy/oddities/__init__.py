"""Requests that servers read differently: a corpus of our own, each with the one outcome that it may have here.

``cases`` are data. ``test_oddities`` plays them both ways against a strict reader; ``make differential`` against real
servers, each of which must see what the gateway says that it sent on, and nothing else.
"""
