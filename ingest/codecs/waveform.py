"""Packed waveform: a CBOR map {"n": name, "t": first instant, "dt": step, "v": samples}.

May have "u" unit, "s" scale, "o" offset. Samples are an RFC 8746 typed array (C. Bormann, 2020), or a plain array of
numbers; with "s" and "o" the value is v * s + o.
Integers of time are nanoseconds, floats are seconds. A NaN sample is a missing one.
"""

from typing import Any, Final

import cbor2
import numpy as np

from ingest.codecs import REACH, BadPayload, Waveform
from ingest.codecs.cbor import load
from lifeline.model import NS, Floats

LEAST: Final = 8  # samples
MOST: Final = 4096  # samples
LONGEST: Final = 3600 * NS  # [ns] between samples
TYPES: Final[dict[int, np.dtype[Any]]] = {
    64: np.dtype("u1"), 65: np.dtype(">u2"), 66: np.dtype(">u4"), 67: np.dtype(">u8"),
    68: np.dtype("u1"), 69: np.dtype("<u2"), 70: np.dtype("<u4"), 71: np.dtype("<u8"),
    72: np.dtype("i1"), 73: np.dtype(">i2"), 74: np.dtype(">i4"), 75: np.dtype(">i8"),
    77: np.dtype("<i2"), 78: np.dtype("<i4"), 79: np.dtype("<i8"),
    80: np.dtype(">f2"), 81: np.dtype(">f4"), 82: np.dtype(">f8"),
    84: np.dtype("<f2"), 85: np.dtype("<f4"), 86: np.dtype("<f8"),
}  # fmt: skip


def decode(payload: bytes, device: str, at: int) -> Waveform:  # noqa: ARG001  one signature for all codecs; a waveform says when it was
    tree = load(payload)
    if type(tree) is not dict:
        raise BadPayload("a waveform is a CBOR map")
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is infinite, and said to be so later
        value = _samples(tree.get("v"))
        if "s" in tree or "o" in tree:
            value = value * _real(tree.get("s", 1), "s") + _real(tree.get("o", 0), "o")
    t, step = _time(tree.get("t"), "t"), _time(tree.get("dt"), "dt")
    if not 0 < step <= LONGEST:
        raise BadPayload("must be above 0 and at most an hour", "dt")
    return Waveform(_text(tree.get("n"), "n"), t, step, value, _text(tree["u"], "u") if "u" in tree else "")


def _text(value: Any, place: str) -> str:
    if type(value) is not str or not value:
        raise BadPayload("must be a text", place)
    return value


def _time(value: Any, place: str) -> int:
    """[ns]"""
    if type(value) is float and abs(value) < REACH / NS:
        return round(value * 1e6) * 1000
    if type(value) is not int or abs(value) > REACH:
        raise BadPayload("must be a time: an integer of nanoseconds, or a float of seconds", place)
    return value


def _real(value: Any, place: str) -> float:
    if type(value) in {int, float} and abs(value) < 1e300:
        return float(value)
    raise BadPayload("must be a number", place)


def _samples(v: Any) -> Floats:
    """[k]"""
    if type(v) is cbor2.CBORTag:
        value = _typed(v.tag, v.value)
    elif type(v) is list and {int, float}.issuperset(map(type, v)):
        value = np.array(v, np.float64)
    else:
        raise BadPayload("must be an RFC 8746 typed array or an array of numbers", "v")
    if not LEAST <= value.shape[0] <= MOST:
        raise BadPayload(f"must have {LEAST} to {MOST} samples", "v")
    return value


def _typed(tag: int, content: Any) -> Floats:
    kind = TYPES.get(tag)
    if kind is None or type(content) is not bytes:
        raise BadPayload("must be an RFC 8746 typed array or an array of numbers", "v")
    if len(content) % kind.itemsize:
        raise BadPayload("has a length that is no whole number of samples", "v")
    value: Floats = np.frombuffer(content, kind).astype(np.float64)
    return value


def encode(wave: Waveform, tag: int = 85, scale: float = 1.0, offset: float = 0.0) -> bytes:
    """tag: a key of TYPES; scale, offset: [unit], for integers."""
    counts = (wave.value - offset) / scale
    kind = TYPES[tag]
    packed = (np.rint(counts) if kind.kind in "iu" else counts).astype(kind).tobytes()
    tree: dict[str, Any] = {"n": wave.name, "t": wave.t, "dt": wave.step, "v": cbor2.CBORTag(tag, packed)}
    tree |= {"u": wave.unit} if wave.unit else {}
    tree |= {"s": scale, "o": offset} if (scale, offset) != (1.0, 0.0) else {}
    return cbor2.dumps(tree)
