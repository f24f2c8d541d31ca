"""Wardgate beside nginx, HAProxy and Envoy at the same job: ``make bench``.

The job: check an API key, take it off, put the provider's token on as ``authorization``, rewrite the path, forward to
one upstream. Every case of ``cases`` has goals; the report says which of them are met. Figures of one case are medians
of rounds in which all servers take their turn, in random order, so that a slow minute of the machine slows all of them.

``peers`` knows how each server is told to do the job, ``load`` how it is asked, ``cases`` what is measured and
compared.
"""
