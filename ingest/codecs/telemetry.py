"""Small messages of readings, told apart by what is in them.

A CBOR array is SenML. A JSON object is flat. A JSON array is SenML when some record in it has a text under "bn", or under "n"
beside v, vb, vs, vd or s; otherwise it is flat. So one flat message is misread: an array of objects with a channel called n
that holds a word and a channel called v, vb, vs, vd or s.
"""

from typing import Final

from ingest.codecs import BadPayload, Readings, flat_json, senml, senml_cbor
from ingest.codecs.text import load

_CBOR_ARRAY: Final = range(0x80, 0xA0)  # major type 4


def decode(payload: bytes, device: str, at: int) -> Readings:
    start = payload[:1]
    if start.isspace():
        start = payload.lstrip()[:1]
    if start == b"{":
        return flat_json.decode(payload, device, at)
    if start == b"[":
        tree = load(payload)
        return senml.resolve(tree, at) if senml.is_pack(tree) else flat_json.read(tree, device, at)
    if start and start[0] in _CBOR_ARRAY:
        return senml_cbor.decode(payload, device, at)
    raise BadPayload("neither JSON nor SenML in CBOR" if start else "empty", "byte 0")
