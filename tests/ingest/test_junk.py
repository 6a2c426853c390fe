"""A million payloads that no device should send: each is read or refused with a reason, none is more than that."""

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import cbor2
import numpy as np
import pytest

from ingest.admit import Terms
from ingest.codecs import Waveform, waveform
from ingest.decode import DEFECT, decode
from lifeline.catalog import Catalog, load
from lifeline.model import NS

AT = 1_790_000_000 * NS
TERMS = Terms(skew=300.0, oldest=30 * 86400.0, max_payload=100_000)
TOPIC = "lifeline/v1/cj/gas/A-1/W-1/"
FLUSH = 2000  # messages in one call

SOUND = [
    ("telemetry", json.dumps({"ts": AT // 10**6, "values": {"methane": 0.31, "temperature": 21.5}}).encode()),
    ("telemetry", json.dumps([{"bn": "W-1/", "bt": AT / NS, "bu": "%VOL"}, {"n": "methane", "t": -1, "v": 0.3}]).encode()),
    ("telemetry", cbor2.dumps([{-2: "W-1/", -3: AT / NS, 0: "methane", 2: 0.25}, {0: "temperature", 1: "Cel", 2: 20}])),
    ("event", b'[{"door":"open"},{"ts":1790000000000,"values":{"methane":true}}]'),
    ("status", b'{"status":"online"}'),
    ("waveform", waveform.encode(Waveform("B-1/a", AT - NS, NS // 10, np.arange(10.0), ""))),
    ("waveform", waveform.encode(Waveform("a", AT - NS, NS // 10, np.arange(10.0), "g"), tag=77, scale=0.01)),
]
WORDS = [
    b"NaN",
    b"Infinity",
    b"null",
    b"{}",
    b"[",
    b"]",
    b"1e999",
    b'"',
    b"\\ud800",
    b"\xff",
    b"\0",
    b"-",
    b"\xfb",
    b"\x9f",
    b"\xd8\x55",
    b"ts",
    b"_",
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load(Path(__file__).parent / "catalog.csv")


def cut(rng: random.Random, payload: bytes) -> bytes:
    return payload[: rng.randrange(len(payload))]


def flipped(rng: random.Random, payload: bytes) -> bytes:
    changed = bytearray(payload)
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def spliced(rng: random.Random, payload: bytes) -> bytes:
    """A word of trouble put in, or a piece taken out."""
    i, j = sorted(rng.randrange(len(payload) + 1) for _ in range(2))
    return payload[:i] + rng.choice(WORDS) + payload[rng.choice((i, j)) :]


def crossed(rng: random.Random, payload: bytes) -> bytes:
    """The head of one message and the tail of another."""
    return cut(rng, payload) + rng.choice(SOUND)[1][rng.randrange(20) :]


def noise(rng: random.Random, payload: bytes) -> bytes:
    return rng.randbytes(rng.randint(0, len(payload)))


KINDS: list[Callable[[random.Random, bytes], bytes]] = [cut, flipped, spliced, crossed, noise]


def flushes(kind: Callable[[random.Random, bytes], bytes], total: int, seed: int) -> Iterator[list[tuple[str, bytes]]]:
    rng = random.Random(seed)
    for _ in range(total // FLUSH):
        yield [(TOPIC + form, kind(rng, payload)) for form, payload in rng.choices(SOUND, k=FLUSH)]


def check(messages: list[tuple[str, bytes]], catalog: Catalog) -> None:
    """Every message leaves something in a column, a block, or among the refused, which all have a reason and no defect."""
    said = decode(messages, AT, catalog, TERMS)
    left = {*said.message.tolist(), *(i for m in said.block_message for i in m.tolist()), *(r.message for r in said.refused)}
    assert left == set(range(len(messages)))
    assert [(r, messages[r.message]) for r in said.refused if DEFECT in r.reason or not r.reason or r.items < 1] == []
    assert np.isfinite(said.batch.value).all()
    assert (np.abs(said.batch.t - AT) <= TERMS.oldest * NS).all()


@pytest.mark.parametrize("kind", KINDS, ids=lambda f: f.__name__)
def test_a_million_bad_payloads_are_each_read_or_refused(
    catalog: Catalog, kind: Callable[[random.Random, bytes], bytes]
) -> None:
    for messages in flushes(kind, 200_000, seed=len(kind.__name__)):
        check(messages, catalog)


def test_sound_messages_among_junk_all_arrive(catalog: Catalog) -> None:
    sound = (TOPIC + "telemetry", SOUND[0][1])
    for kind in KINDS:
        for messages in flushes(kind, FLUSH, seed=1):
            mixed = [m for junk in messages for m in (junk, sound)]
            said = decode(mixed, AT, catalog, TERMS)
            assert {i for i in said.message.tolist() if i % 2} == set(range(1, len(mixed), 2))
            assert not {r.message for r in said.refused if r.message % 2}
