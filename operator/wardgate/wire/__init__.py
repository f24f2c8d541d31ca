"""The model as versioned bytes, with a content hash (the *revision*), and back.

Both planes share this package: the operator encodes, the proxies decode, whatever carries the bytes between them. It
deliberately knows nothing of what carries them: no compression, no names of Secrets, no files.
"""

from wardgate.wire.bundle import Bundle, hash_of, revision_of
from wardgate.wire.decode import (
    Decoded,
    RoutesDecoder,
    decode,
    decode_credentials,
    decode_routes,
)
from wardgate.wire.encode import Encoder, encode
from wardgate.wire.errors import EncodeError, FrameError, SchemaError, WireError
from wardgate.wire.framing import Frame, Unpacker, pack
from wardgate.wire.schema import READ_MAJORS, SCHEMA

__all__ = [
    "READ_MAJORS",
    "SCHEMA",
    "Bundle",
    "Decoded",
    "EncodeError",
    "Encoder",
    "Frame",
    "FrameError",
    "RoutesDecoder",
    "SchemaError",
    "Unpacker",
    "WireError",
    "decode",
    "decode_credentials",
    "decode_routes",
    "encode",
    "hash_of",
    "pack",
    "revision_of",
]
