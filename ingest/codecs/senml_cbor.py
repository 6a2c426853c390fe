"""SenML as CBOR (RFC 8428, section 6): the same records, their labels as small integers."""

from typing import Final

import cbor2

from ingest.codecs import BadPayload, Readings, senml
from ingest.codecs.cbor import load

LABELS: Final = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
_NUMBERS: Final = {label: number for number, label in LABELS.items()}


def decode(payload: bytes, device: str, at: int) -> Readings:  # noqa: ARG001  one signature for all codecs; SenML names are whole
    records = load(payload)
    if type(records) is not list:
        raise BadPayload("SenML is an array of records")
    return senml.resolve(records, at, LABELS)


def encode(readings: Readings) -> bytes:
    return cbor2.dumps([{_NUMBERS[k]: v for k, v in r.items()} for r in senml.records(readings)])
