import asyncio

import numpy as np
import pytest

from ingest.admit import Terms
from ingest.decode import decode
from ingest.topic import parse
from lifeline.clock import FastClock
from lifeline.model import NS, Batch, Block
from pipeline.publish import Message, messages, play
from simulators.world import City, turns
from tests.city import START, demo

CATALOG = demo().catalog
TERMS = Terms(skew=300.0, oldest=86_400.0, max_payload=1_000_000)
SECONDS = 30


def world() -> City:
    return demo().world


@pytest.fixture(scope="module")
def said() -> list[Message]:
    told = turns(world().emit(START, START + SECONDS * NS))
    return [m for turn in told for m in messages([turn.batch, *turn.blocks], CATALOG)]


def lines(b: Batch) -> np.ndarray:
    return np.lexsort((b.t, b.row))


def readings(said: list[Message]) -> Batch:
    """Whatever the messages say, in the order of row and time."""
    heard = decode(said, START + SECONDS * NS, CATALOG, TERMS)
    assert heard.refused == []
    b = Batch.joined([heard.batch, *(block.flat() for block in heard.blocks)])
    return b.take(lines(b))


def test_what_the_devices_say_is_what_the_world_is(said: list[Message]) -> None:
    parts = world().emit(START, START + SECONDS * NS)
    heard = decode(said, START + SECONDS * NS, CATALOG, TERMS)
    assert heard.refused == []
    true = Batch.joined([p for p in parts if isinstance(p, Batch)])
    a, b = true.take(lines(true)), heard.batch.take(lines(heard.batch))
    np.testing.assert_array_equal(a.row, b.row)
    np.testing.assert_array_equal(a.t, b.t)
    np.testing.assert_allclose(a.value, b.value, rtol=1e-9, atol=1e-12)


def test_waveforms_arrive_sample_for_sample(said: list[Message]) -> None:
    true = Batch.joined([p.flat() for p in world().emit(START, START + SECONDS * NS) if isinstance(p, Block)])
    heard = Batch.joined([p.flat() for p in decode(said, START + SECONDS * NS, CATALOG, TERMS).blocks])
    a, b = true.take(lines(true)), heard.take(lines(heard))
    np.testing.assert_array_equal(a.row, b.row)
    np.testing.assert_array_equal(a.t, b.t)
    np.testing.assert_allclose(a.value, b.value, rtol=1e-6)  # float32 on the wire


def test_every_format_has_a_domain_that_speaks_it(said: list[Message]) -> None:
    form: dict[str, set[str]] = {}
    for name, payload in said:
        where = parse(name)
        opening = "cbor" if payload[0] >= 0x80 and payload[:1] not in b"[{" else payload[:1].decode()
        form.setdefault(f"{where.domain}/{where.form}", set()).add(opening)
    assert form == {
        "gas/telemetry": {"cbor"},
        "water/telemetry": {"["},
        "bridge/telemetry": {"{"},
        "bridge/waveform": {"cbor"},
        "elevator/event": {"{"},
    }


def test_doors_speak_in_words(said: list[Message]) -> None:
    door = [p for name, p in said if name.endswith("/event") and b'"door":' in p]
    assert any(b'"door":"closed"' in p for p in door)
    assert any(b'"door":"open"' in p for p in door)


@pytest.mark.parametrize("tick", [1.0, 0.4, 7.0])
def test_a_world_plays_the_same_whatever_the_tick(said: list[Message], tick: float) -> None:
    heard, at = list[Message](), list[int]()
    clock = FastClock(START)

    async def publish(name: str, payload: bytes) -> None:
        await asyncio.sleep(0)
        heard.append((name, payload))
        at.append(clock.now())

    until = START + SECONDS * NS
    count = asyncio.run(play(world(), clock, catalog=CATALOG, start=START, until=until, publish=publish, tick=tick))
    assert count == len(heard)
    one, other = readings(said), readings(heard)
    for name in ("row", "t", "value"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert at == sorted(at)
    assert clock.now() == until
