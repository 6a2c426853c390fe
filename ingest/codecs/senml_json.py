"""SenML as JSON (RFC 8428, section 5)."""

import msgspec

from ingest.codecs import BadPayload, Readings, senml
from ingest.codecs.text import load


def decode(payload: bytes, device: str, at: int) -> Readings:  # noqa: ARG001  one signature for all codecs; SenML names are whole
    records = load(payload)
    if type(records) is not list:
        raise BadPayload("SenML is an array of records")
    return senml.resolve(records, at)


def encode(readings: Readings) -> bytes:
    return msgspec.json.encode(senml.records(readings))
