"""Reminders keep to routes and silences; and whatever happens, a RED hazard is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.chain import Chain
from alerts.lifecycle import ACTIVE
from alerts.queries import listed
from alerts.tables import Database
from lifeline.model import NS, Change, Kind, Level

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
Say = Callable[..., Change]
Made = Callable[..., Any]

FILE = """
route:
  receiver: centre
  group_wait: 10s
  group_interval: 20s
  repeat_interval: 3h
  routes:
    - {matchers: [asset="W-3"], receiver: nobody}
    - {matchers: [severity=~"ORANGE|RED"], receiver: duty}
receivers:
  - {name: centre, webhook_configs: [{url: "http://127.0.0.1:1/"}]}
  - {name: duty, webhook_configs: [{url: "http://127.0.0.1:1/"}]}
  - {name: nobody}
inhibit_rules:
  - {source_matchers: [severity=~"RED|ORANGE"], target_matchers: [severity=~"ORANGE|YELLOW|BLUE"], equal: [district]}
"""


def turn(s: Any, at: float) -> int:
    return Chain(s.book).turn(T0 + round(at * NS))


def test_a_reminder_goes_where_the_routes_lead(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(O), at=0)
    assert turn(s, 301) == 1
    assert [w for _, w in s.told("duty")] == ["raised ORANGE W-1", "overdue ORANGE W-1"]
    assert s.told("centre") == []


def test_nobody_is_reminded_of_what_is_silenced(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(O), at=0)
    s.silence('asset="W-1"', end=400, at=1)
    assert turn(s, 301) == 0
    assert turn(s, 602) == 1


def test_of_what_has_been_red_reminders_come_through_a_silence(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.silence('asset=~"W-.*"', end=5000)
    s.take(say(R), say(N, 5), say(R, 0, "d3", "W-3"), say(N, 5, "d3", "W-3"), at=6)
    assert turn(s, 200) == 2
    assert [w for _, w in s.told("duty")][-1] == "overdue RED W-1"
    assert [w for _, w in s.told("centre")][-1] == "overdue RED W-3"  # its own route leads to nobody


NAMES = st.sampled_from(["say", "say", "silence", "wait", "ack", "look"])
ACTS = st.lists(st.tuples(NAMES, st.integers(1, 3), st.sampled_from(Level), st.booleans()), max_size=25)
CHANNELS = ("phone", "centre", "duty")


def do(s: Any, say: Say, act: str, n: int, level: Level, now: float, *, ticket: bool) -> None:
    """One act, at the asset number n."""
    if act == "say":
        kind = Kind.TICKET if ticket and level <= Y else Kind.HAZARD
        s.take(say(level, now, f"d{n}", f"W-{n}", kind=kind, hard=True), at=now)
    elif act == "silence":
        s.silence(f'asset="W-{n}"', start=now, end=now + 60, at=now)
    elif act == "ack":
        for case in listed(s.database, live=True):
            if case.state in ACTIVE and case.asset == f"W-{n}":
                s.book.acknowledge(case.id, "Li Na", "", T0 + round(now * NS))


def told(s: Any) -> set[tuple[str, str]]:
    """(asset, level) of all that was told to anybody."""
    return {(w.split()[2], w.split()[1]) for channel in CHANNELS for _, w in s.told(channel)}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS, routed=st.booleans())
def test_no_order_of_acts_hides_red_or_leaves_anything_untold_when_silences_are_over(
    tmp_path_factory: pytest.TempPathFactory,
    scene: Made,
    say: Say,
    acts: list[tuple[str, int, Level, bool]],
    routed: bool,  # noqa: FBT001
) -> None:
    s, now = scene(FILE if routed else ""), 0.0
    s.database = s.book.database = Database(f"sqlite:///{Path(tmp_path_factory.mktemp('desk')) / 'desk.db'}")
    for act, n, level, flag in acts:
        now += 45 if act == "wait" else 7
        do(s, say, act, n, level, now, ticket=flag)
        if flag:
            s.look(now)
        s.sent(now)
        for case in listed(s.database, live=True):
            if case.level is R and case.kind is Kind.HAZARD:
                assert (case.asset, "RED") in told(s)
    now += 100
    s.look(now)
    loud = {asset for asset, why in s.quiet(now).items() if not why}
    stands = {c.asset: c.level.name for c in listed(s.database, live=True) if c.state in ACTIVE}
    assert loud or not stands  # what hides others is itself told
    for asset in loud - ({"W-3"} if routed else set()):  # whose route leads to nobody, unless it is RED
        assert (asset, stands[asset]) in told(s)
    s.database.close()
