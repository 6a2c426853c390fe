"""The load of the benchmarks: what a town's devices send, and when."""

import numpy as np

from bench.load import QUIET, Alarms
from bench.town import MINUTE, Stream, Town, length
from ingest.admit import Terms
from ingest.decode import decode
from ingest.frames import split
from lifeline.model import NS

AT = 1_790_000_000 * NS  # [ns]
TOWN = Town(slow=600, channels=30)


def said(stream: Stream, t0: int, seconds: int) -> list[tuple[str, bytes]]:
    """The messages of so many seconds, by pieces of a tenth."""
    raw = b"".join(stream.between(t0 + i * NS // 10, t0 + (i + 1) * NS // 10) for i in range(10 * seconds))
    frames = split(raw, v5=False)
    assert frames.used == len(raw)
    return [(topic.decode(), payload) for topic, payload in zip(frames.flat[::2], frames.flat[1::2], strict=True)]


def test_in_a_minute_every_slow_series_speaks_once_and_every_channel_each_second() -> None:
    stream, catalog = Stream(TOWN), TOWN.catalog()
    messages = said(stream, AT, MINUTE)
    found = decode(messages, AT + MINUTE * NS, catalog, Terms(300.0, 86400.0, 10**6))
    assert found.refused == []
    assert sorted(found.batch.row.tolist()) == list(range(600))
    assert [b.value.shape for b in found.blocks] == [(30, 100)] * MINUTE
    assert stream.messages == len(messages) == 600 + 30 * MINUTE


def test_the_blocks_of_a_channel_follow_on_each_other_without_a_gap() -> None:
    found = decode(said(Stream(TOWN), AT, 3), AT + 3 * NS, TOWN.catalog(), Terms(300.0, 86400.0, 10**6))
    first, second, third = (b.t[np.argsort(b.row)] for b in found.blocks)
    assert (second - first == NS).all()
    assert (third - second == NS).all()
    assert np.unique(first).size == 10


def test_a_slow_series_speaks_at_its_instant() -> None:
    found = decode(said(Stream(TOWN), AT, MINUTE), AT + MINUTE * NS, TOWN.catalog(), Terms(300.0, 86400.0, 10**6))
    due = np.array([TOWN.instant(int(row)) for row in found.batch.row])
    late = (found.batch.t - due) % (MINUTE * NS) / NS
    assert late.min() > 0
    assert late.max() <= 0.1


def test_gas_rises_in_wells_whose_usual_reading_is_not_near() -> None:
    alarms = Alarms(TOWN, rate=50.0, seed=3)
    at = AT + 20 * NS
    rows = list(alarms.due(at))
    assert len(rows) == 1
    assert TOWN.kind(rows[0]).quantity == "methane"
    assert QUIET * NS < (at - TOWN.instant(rows[0])) % (MINUTE * NS) < (MINUTE - QUIET) * NS
    assert not alarms.crossed
    assert rows[0] in list(alarms.due(at + NS))
    assert list(alarms.crossed) == [f"M{rows[0]:06d}"]


def test_lengths_are_written_as_mqtt_wants_them() -> None:
    assert [length(n) for n in (0, 127, 128, 16_383, 16_384)] == [b"\0", b"\x7f", b"\x80\x01", b"\xff\x7f", b"\x80\x80\x01"]
