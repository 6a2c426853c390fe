"""What the sink does when InfluxDB does not take what it is given."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.influxd import answers
from lifeline.model import NS
from store.influx import INIT, LONGEST, Answer, Dead, Fate, Sink, Stopped, Target, Writer, answer, patience
from store.influx_read import Reader
from store.protocol import Lines
from tests.influx_double import Double, Fault
from tests.influxes import Influx, Victoria

pytestmark = pytest.mark.network
WRONG = "wrong"
T = 1_790_000_000 * NS


class Scene:
    """A sink, and what it did. stop: after so many waits it is told to stop."""

    def __init__(
        self, target: Target, most: int = 64, stop: int = 10**9, at_rest: Callable[[int], None] = lambda _: None
    ) -> None:
        self.waits: list[float] = []
        self.dead: list[Dead] = []

        def rest(seconds: float) -> bool:
            self.waits.append(seconds)
            at_rest(len(self.waits))
            return len(self.waits) >= stop

        self.writer = Writer(target)
        self.sink = Sink(self.writer, most=most, bury=self.dead.extend, rest=rest, rng=random.Random(1))


@pytest.fixture
def double() -> Iterator[Double]:
    with Double() as made:
        made.bucket("lifeline")
        yield made


def target(double: Double, **more: Any) -> Target:
    return Target(**{"url": double.url, "token": "right", "org": "lifeline", "bucket": "lifeline", "timeout": 5.0, **more})


def lines(n: int, bad: tuple[int, ...] = ()) -> Lines:
    return Lines.of([f"m,key={'BAD' if i in bad else 'k'}{i} value={i} {T + i}\n".encode() for i in range(n)])


def test_what_is_taken_is_written_packed_in_requests_of_the_size_that_was_set(double: Double) -> None:
    s = Scene(target(double))
    s.sink.write(lines(150))
    assert [f"{x}\n" for x in double.held.lines["lifeline"]] == lines(150).text.decode().splitlines(keepends=True)
    assert double.requests == [("POST", "/api/v2/write", 204)] * 3
    assert (s.sink.tally.lines, s.sink.tally.dead, s.waits, s.sink.why) == (150, 0, [], "")


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 99), max_size=8))
def test_only_the_lines_that_are_refused_are_dead_and_their_neighbours_are_stored(bad: set[int]) -> None:
    with Double() as double:
        double.bucket("lifeline")
        s = Scene(target(double), most=100)
        s.sink.write(lines(100, tuple(bad)))
        assert sorted(d.line for d in s.dead) == sorted(
            x for i, x in enumerate(lines(100, tuple(bad)).text.splitlines(True)) if i in bad
        )
        assert all(d.code == 400 and d.line.decode().rstrip() in d.words for d in s.dead)
        assert set(double.held.lines["lifeline"]) == {
            x for i, x in enumerate(lines(100, tuple(bad)).text.decode().splitlines()) if i not in bad
        }
        assert len(double.requests) <= 1 + 2 * 7 * len(bad)


def test_422_is_divided_as_400_is(double: Double) -> None:
    double.late = T + 3
    s = Scene(target(double))
    s.sink.write(lines(10))
    assert [(d.line.split()[-1], d.code) for d in s.dead] == [(str(T + i).encode(), 422) for i in range(3)]
    assert len(double.held.lines["lifeline"]) >= 7


def test_when_as_many_are_dropped_as_were_sent_nobody_looks_for_them_one_by_one(double: Double) -> None:
    double.late = T + 1000
    s = Scene(target(double))
    s.sink.write(lines(64))
    assert (len(s.dead), len(double.requests)) == (64, 1)


@pytest.mark.parametrize(("status", "words"), [(401, "barred 401"), (403, "barred 403"), (404, INIT), (405, "barred 405")])
def test_what_somebody_must_mend_is_said_aloud_and_tried_again_slowly(double: Double, status: int, words: str) -> None:
    double.faults.extend([Fault(status)] * 3)
    said: list[str] = []
    s = Scene(target(double), at_rest=lambda _: said.append(s.sink.why))
    s.sink.write(lines(5))
    assert all(words in x for x in said)
    assert len(s.waits) == 3
    assert min(s.waits) >= 2.5
    assert (s.sink.tally.lines, s.dead, s.sink.why) == (5, [], "")


def test_a_wrong_token_and_a_bucket_that_is_not_there_lose_nothing(double: Double) -> None:
    for wrong in (target(double, token=WRONG), target(double, bucket="none"), target(double, org="none")):
        s = Scene(wrong, stop=2)
        with pytest.raises(Stopped):
            s.sink.write(lines(5))
        assert (s.dead, s.sink.tally.lines) == ([], 0)


def test_413_halves_the_request_and_is_remembered(double: Double) -> None:
    double.room = len(lines(20).text)
    s = Scene(target(double))
    s.sink.write(lines(64))
    assert s.sink.most == 16
    before = len(double.requests)
    s.sink.write(lines(64))
    assert [r[2] for r in double.requests[before:]] == [204] * 4
    assert (s.waits, s.dead) == ([], [])


def test_a_line_that_is_too_large_alone_is_dead(double: Double) -> None:
    double.room = 5
    s = Scene(target(double))
    s.sink.write(lines(2))
    assert [d.code for d in s.dead] == [413, 413]


def test_429_and_503_wait_as_long_as_they_are_told_to(double: Double) -> None:
    later = format_datetime(datetime.fromtimestamp(4_000_000_000, UTC), usegmt=True)
    double.faults.extend(
        [
            Fault(429, (("Retry-After", "7"),)),
            Fault(503, (("Retry-After", "0"),)),
            Fault(503, (("Retry-After", later),)),
            Fault(503),
        ]
    )
    s = Scene(target(double))
    s.sink.write(lines(5))
    assert s.waits[:3] == [7.0, 0.0, LONGEST]
    assert 0 < s.waits[3] <= 4.0
    assert s.sink.tally.requests == {(Fate.LIMITED, 429): 1, (Fate.AWAY, 503): 3, (Fate.WRITTEN, 204): 1}


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("120", 120.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(said: str, wait: float | None) -> None:
    assert patience(said, 10 * NS) == wait
    assert patience(None, 0) is None


def test_without_a_time_each_wait_is_longer_than_the_one_before_up_to_a_minute(double: Double) -> None:
    double.faults.extend([Fault(500)] * 12)
    s = Scene(target(double))
    s.sink.write(lines(5))
    assert all(0.5 * x <= w <= x for w, x in zip(s.waits, [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60], strict=True))


def test_lost_connections_and_time_outs_are_tried_again_and_a_slow_server_is_given_less(double: Double) -> None:
    double.faults.extend([Fault(reset=True), Fault(204, wait=1.0, stored=True), Fault(reset=True, stored=True)])
    s = Scene(target(double, timeout=0.3), most=1000)
    s.sink.write(lines(1000))
    assert len(s.waits) == 3
    assert {(f, c) for f, c in s.sink.tally.requests} == {(Fate.AWAY, 0), (Fate.SLOW, 0), (Fate.WRITTEN, 204)}
    assert len(set(double.held.lines["lifeline"])) == 1000
    assert s.sink.most == 1000  # it answers again


def test_no_server_is_waited_for_and_stopping_loses_nothing() -> None:
    s = Scene(Target("http://127.0.0.1:9", "", "o", "b"), stop=3)
    with pytest.raises(Stopped):
        s.sink.write(lines(5))
    assert (s.dead, len(s.waits)) == ([], 3)
    assert "away" in s.sink.why


def test_every_status_means_something() -> None:
    fates = {
        c: answer(c, "", {}).fate for c in (301, 400, 401, 402, 403, 404, 405, 406, 408, 413, 415, 422, 429, 500, 502, 504, 507)
    }
    assert {c for c, f in fates.items() if f is Fate.BARRED} == {301, 401, 402, 403, 405, 406, 415}
    assert {c for c, f in fates.items() if f is Fate.AWAY} == {500, 502, 504, 507}
    assert Answer(Fate.SLOW, 408, "", None) == answer(408, "", {})


def test_what_stands_before_the_server_kills_no_line() -> None:
    page = {"Content-Type": "text/html; charset=utf-8"}
    assert answer(400, "<h1>The plain HTTP request was sent to HTTPS port</h1>", page).fate is Fate.BARRED
    assert answer(400, "Client sent an HTTP request to an HTTPS server.", {}).fate is Fate.BARRED
    assert answer(413, "<h1>Request Entity Too Large</h1>", page).fate is Fate.LARGE
    assert (
        answer(400, "partial write: field type conflict dropped=1", {"Content-Type": "application/json"}).fate is Fate.REFUSED
    )


def test_the_real_server_refuses_as_the_double_does() -> None:
    with Influx(body=500) as influx:
        t = Target(influx.url, "", "lifeline", "real")
        s = Scene(t, most=1000, stop=1)
        with pytest.raises(Stopped):
            s.sink.write(lines(3))
        assert INIT in s.sink.why  # 404: no such database
        reader = Reader(t)
        reader.ask('CREATE DATABASE "real"', change=True)
        s = Scene(t, most=1000)
        s.sink.write(Lines.of([b"n,key=k value=1 5\n"]))
        mixed = [b"n,key=k value=%d %d\n" % (i, i) for i in range(400)]
        mixed[17], mixed[230] = b"n,key=k value=1i 17\n", b"n,key=k value= 230\n"
        s.sink.write(Lines.of(mixed))
        assert [d.line for d in s.dead] == [mixed[17], mixed[230]]
        assert "field type conflict" in s.dead[0].words
        assert "missing field value" in s.dead[1].words
        assert reader.ask('SELECT count("value") FROM n')[0]["values"][0][1] == 398
        assert (Fate.LARGE, 413) in s.sink.tally.requests
        reader.close()


def test_a_real_server_that_is_killed_gets_everything_when_it_is_back() -> None:
    with Influx() as influx:
        t = Target(influx.url, "", "lifeline", "killed")
        reader = Reader(t)
        reader.ask('CREATE DATABASE "killed"', change=True)
        s = Scene(t, most=50, at_rest=lambda n: influx.start() if n == 2 else None)
        s.sink.write(lines(100))
        influx.kill()
        more = Lines.of([b"m,key=more value=%d %d\n" % (i, T + i) for i in range(100)])
        s.sink.write(more)
        assert len(s.waits) >= 2
        assert reader.ask('SELECT count("value") FROM m')[0]["values"][0][1] == 200
        reader.close()


def test_victoria_metrics_takes_the_same_lines() -> None:
    with Victoria() as victoria:
        s = Scene(Target(victoria.url, "", "lifeline", "lifeline"))
        s.sink.write(lines(100))
        assert s.sink.tally.requests == {(Fate.WRITTEN, 204): 2}
        assert answers(f"{victoria.url}/internal/force_flush")
        import urllib.request

        with urllib.request.urlopen(f"{victoria.url}/api/v1/export?match[]=m_value") as got:  # noqa: S310  our own server
            found = got.read().splitlines()
        assert len(found) == 100
