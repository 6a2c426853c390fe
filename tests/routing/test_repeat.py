"""A routing file's repetition and the chase say the same thing once."""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.chain import Chain
from alerts.lifecycle import Refused
from alerts.queries import listed
from alerts.routing.explain import explained
from alerts.tables import META
from lifeline.model import NS, Change, Kind, Level
from tests.routing.conftest import Scene

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
Say = Callable[..., Change]
Made = Callable[..., Any]

FILE = """
route:
  receiver: centre
  group_wait: 0s
  repeat_interval: {every}
  labels: {{{labels}}}
receivers:
  - {{name: centre, webhook_configs: [{{url: "http://127.0.0.1:1/"}}]}}
"""


def plan(every: str = "30m", labels: str = "") -> str:
    return FILE.format(every=every, labels=labels)


def live(s: Any, begin: float, end: float, step: float = 20.0) -> None:
    """Let time pass as a desk does: both look, now the one first, now the other."""
    at, odd = begin, False
    while at <= end:
        both = [lambda t=at: Chain(s.book).turn(T0 + round(t * NS)), lambda t=at: s.look(t)]
        for look in reversed(both) if odd else both:
            look()
        s.sent(at)
        at, odd = at + step, not odd


def instants(s: Any) -> list[float]:
    return [at for at, _ in s.told("centre")]


def acknowledge(s: Any, at: float) -> None:
    (case,) = listed(s.database, live=True)
    s.book.acknowledge(case.id, "Li Na", "", T0 + round(at * NS))


@pytest.mark.parametrize(("level", "first", "then"), [(O, 300, 300), (R, 180, 180)])
def test_orange_and_red_are_told_again_by_the_chase_alone(scene: Made, say: Say, level: Level, first: int, then: int) -> None:
    s = scene(plan("4m"))
    s.take(say(level), at=0)
    live(s, 1, 1300)
    said = [w.split()[0] for _, w in s.told("centre")]
    assert said == ["raised"] + ["overdue"] * ((1300 - first) // then + 1)


def test_yellow_is_told_again_so_long_after_it_was_last_told_by_whomever(scene: Made, say: Say) -> None:
    s = scene(plan("30m"))
    s.take(say(Y), at=0)
    live(s, 1, 9000)
    kinds = [w for _, w in s.told("centre")]
    assert kinds[:4] == ["raised YELLOW W-1", "overdue YELLOW W-1", "raised YELLOW W-1 again", "overdue YELLOW W-1"]
    gaps = [b - a for a, b in pairwise(instants(s)[1:])]
    assert min(gaps) >= 1740  # never two within half an hour, but for the first reminder after 15 min


def test_where_both_come_due_at_once_one_of_them_speaks(scene: Made, say: Say) -> None:
    s = scene(plan("15m"))
    s.take(say(Y), at=0)
    live(s, 880, 1000)
    assert [w for _, w in s.told("centre")] == ["raised YELLOW W-1", "overdue YELLOW W-1"]


def test_blue_is_repeated_when_its_one_reminder_is_over(scene: Made, say: Say) -> None:
    s = scene(plan("3h"))
    s.take(say(B), at=0)
    live(s, 1, 30_000, step=300)
    told = s.told("centre")
    assert [w for _, w in told] == ["raised BLUE W-1", "overdue BLUE W-1", "raised BLUE W-1 again", "raised BLUE W-1 again"]
    assert 7200 <= told[1][0] < 7600
    assert told[2][0] - told[1][0] >= 10_800


def test_a_chase_that_does_not_work_is_made_up_for(scene: Made, say: Say) -> None:
    s = scene(plan("10m"))
    s.take(say(R), at=0)
    s.sent(0)
    assert not s.look(599)
    assert s.look(660)  # its step was due at 180 and is not taken


def test_what_is_acknowledged_is_told_again_only_where_the_file_says_so(scene: Made, say: Say) -> None:
    s = scene(plan("30m"))
    s.take(say(R), at=0)
    acknowledge(s, 60)
    live(s, 61, 8000, step=100)
    assert [w for _, w in s.told("centre")] == ["raised RED W-1"]


def test_a_route_that_wants_it_repeats_what_is_acknowledged_until_it_ends(scene: Made, say: Say) -> None:
    s = scene(plan("30m", "repeat: acknowledged"))
    s.take(say(O), at=0)
    acknowledge(s, 60)
    live(s, 61, 4000, step=100)
    assert [w for _, w in s.told("centre")] == ["raised ORANGE W-1"] + ["raised ORANGE W-1 again"] * 2
    s.take(say(N, 4001), at=4001)
    live(s, 4002, 8000, step=100)
    assert s.told("centre")[-1] == (4001, "resolved NORMAL W-1")


def test_a_silence_holds_for_repetitions_of_what_is_acknowledged_too(scene: Made, say: Say) -> None:
    s = scene(plan("30m", "repeat: acknowledged"))
    s.take(say(O), at=0)
    acknowledge(s, 60)
    s.silence('asset="W-1"', end=20_000, at=61)
    live(s, 62, 8000, step=100)
    assert [w for _, w in s.told("centre")] == ["raised ORANGE W-1"]


def test_the_route_says_who_asks_again(planned: Callable[[str], Any]) -> None:
    made = planned(plan("30m", "repeat: acknowledged"))
    grave = list(explained(made, {}, O, Kind.HAZARD, T0))[-1]
    mild = list(explained(made, {}, Y, Kind.HAZARD, T0))[-1]
    assert "asked again by the chase until somebody answers, then every 1800 s while it stands" in grave
    assert "again every 1800 s until somebody answers, then" in mild


WAITS = st.lists(st.tuples(st.sampled_from(["say", "ack", "wait"]), st.sampled_from(Level), st.integers(20, 1000)), max_size=7)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=6)
@given(acts=WAITS, wants=st.sampled_from(["", "repeat: acknowledged"]))
def test_whatever_happens_a_channel_is_never_told_the_same_twice_within_a_minute(
    scene: Made, say: Say, acts: list[tuple[str, Level, int]], wants: str, database: Any
) -> None:
    with database.write() as db:
        for table in reversed(META.sorted_tables):
            db.execute(table.delete())
    s: Scene = scene(plan("5m", wants))

    at = 0.0
    for act, level, wait in acts:
        if act == "say":
            s.take(say(level, at, hard=True), at=at)
        elif act == "ack":
            for case in listed(s.database, live=True):
                with suppress(Refused):
                    s.book.acknowledge(case.id, "Li Na", "", T0 + round(at * NS))
        live(s, at + 1, at + wait, step=20)
        at += wait + 1
    told = [(t, w) for t, w in s.told("centre") if w.startswith("overdue") or w.endswith("again")]
    assert all(b - a >= 60 for (a, _), (b, _) in pairwise(told))
