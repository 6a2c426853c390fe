"""One CBOR item (RFC 8949), with the tags that a sensor has no use for refused: several of them make work for the reader."""

import io
from typing import Any, Final

import cbor2

from ingest.codecs import BadPayload

DEPTH: Final = 8  # nested containers; a waveform has one, SenML two
# dates, big numbers, rationals, patterns, shared and cyclic values, sets, addresses: nothing a reading is made of
_FOREIGN: Final = (0, 1, 2, 3, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000)


def _refuse(_value: object, _immutable: bool) -> Any:  # noqa: FBT001  the library's signature
    raise ValueError("a tag that has no place in a reading")


def _decimal(value: object, _immutable: bool) -> float:  # noqa: FBT001  the library's signature
    """Tag 4: [exponent, mantissa], which RFC 8428 allows for numbers."""
    match value:
        case [int(exponent), int(mantissa)] if abs(exponent) < 400:
            return float(f"{mantissa}e{exponent}")
    raise ValueError("a decimal fraction must be [exponent, mantissa]")


_TAGS: Final = {4: _decimal, **dict.fromkeys(_FOREIGN, _refuse)}


def load(payload: bytes) -> Any:
    """The item, the whole item and nothing after it."""
    stream = io.BytesIO(payload)
    try:
        tree = cbor2.CBORDecoder(stream, semantic_decoders=_TAGS, max_depth=DEPTH).decode()
    except (cbor2.CBORDecodeError, RecursionError) as why:
        raise _unreadable(why, stream.tell()) from why
    if stream.tell() != len(payload):
        raise BadPayload("bytes after the end of the CBOR item", f"byte {stream.tell()}")
    return tree


def _unreadable(why: Exception, place: int) -> BadPayload:
    if isinstance(why, cbor2.CBORDecodeEOF):
        return BadPayload("CBOR ends too early", f"byte {place}")
    cause = why.__cause__ if isinstance(why.__cause__, ValueError) else why
    return BadPayload(f"not CBOR: {str(cause).partition(' (')[0]}"[:80], f"byte {place}")
