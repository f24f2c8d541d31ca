"""Bodies under every content coding that the gateway undoes, as servers write them."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def _deflated(data: bytes, *, window: int, level: int = 9) -> bytes:
    engine = zlib.compressobj(level, zlib.DEFLATED, window)
    return engine.compress(data) + engine.flush()


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", lambda data: _deflated(data, window=31)),
    "x-gzip": ("X-GZip", lambda data: _deflated(data, window=31)),
    "gzip of three members": ("gzip", lambda data: b"".join(_deflated(part, window=31) for part in thirds(data))),
    "deflate": ("deflate", lambda data: _deflated(data, window=15)),
    "deflate of a small window": ("deflate", lambda data: _deflated(data, window=9)),
    "raw deflate": ("deflate", lambda data: _deflated(data, window=-15)),
    "stored raw deflate": ("deflate", lambda data: _deflated(data, window=-15, level=0)),
    "br": ("br", lambda data: bytes(brotli.compress(data))),
    "zstd": ("zstd", zstd.compress),
    "zstd of three frames": ("zstd", lambda data: b"".join(zstd.compress(part) for part in thirds(data))),
}
"""By a name for people: the coding's own name, and what makes it."""


def thirds(data: bytes) -> Iterable[bytes]:
    """Cut into three, of which some may be empty."""
    size = len(data) // 3
    return data[:size], data[size : 2 * size], data[2 * size :]


def of_a_wide_window(data: bytes) -> bytes:
    """Compress with zstd for a window of 16 MiB."""
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 24, zstd.CompressionParameter.content_size_flag: 0}
    engine = zstd.ZstdCompressor(options=options)
    return engine.compress(data) + engine.flush()


def coded(data: bytes, *names: str) -> tuple[bytes, str]:
    """Apply encoders one after the other; return the bytes and the value of ``Content-Encoding``."""
    for name in names:
        data = ENCODERS[name][1](data)
    return data, ", ".join(ENCODERS[name][0] for name in names)
