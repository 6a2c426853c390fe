"""Whether a device is online: the bare word, as brokers publish it for a device that fell silent, or {"status": word}."""

from ingest.codecs import BadPayload, Readings, quoted
from ingest.codecs.text import load

WORDS = ("online", "offline")
CHANNEL = "online"


def decode(payload: bytes, device: str, at: int) -> Readings:
    """One reading of the series "device/online". at [ns]"""
    word = _word(payload)
    if word not in WORDS:
        raise BadPayload(f"a status must be {' or '.join(WORDS)}", quoted(word))
    return Readings([f"{device}/{CHANNEL}"], [at], [word], [""], [], dated=False)


def _word(payload: bytes) -> object:
    if not payload.lstrip().startswith(b"{"):
        return payload.decode("ascii", "replace").strip()
    tree = load(payload)
    return tree.get("status") if type(tree) is dict else tree


def encode(word: str) -> bytes:
    return word.encode()
