"""Every decision about a request, on bytes and dataclasses: no socket, no clock, no loop.

In front stands what the I/O calls or is handed: ``exchange``, ``messages``, ``reasons``, ``replies``. The rooms behind
lie in layers (ARCHITECTURE.md, section 5), of which none knows the ones above it.
"""
