"""The corpus of oddities with real servers behind the gateway: each must see what the gateway says that it sent on.

The tests have aiohttp's server behind it. ``make differential`` adds nginx, HAProxy, uvicorn and gunicorn, which it
installs.
"""
