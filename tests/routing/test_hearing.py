"""Who is told, how soon, and how often: a routing file at work in the book."""

from collections.abc import Callable
from typing import Any

from alerts.lifecycle import State
from alerts.queries import listed
from alerts.route import Route
from lifeline.model import NS, Change, Kind, Level

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
Say = Callable[..., Change]
Made = Callable[..., Any]

FILE = """
route:
  receiver: centre
  group_by: [district]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
  routes:
    - matchers: [ asset="W-9" ]
      receiver: nobody
    - matchers: [ asset="W-8" ]
      receiver: duty
      active_time_intervals: [night]
    - matchers: [ severity=~"ORANGE|RED" ]
      receiver: duty
      continue: true
    - matchers: [ kind=~".+" ]
      receiver: centre
receivers:
  - name: centre
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
  - name: duty
    webhook_configs: [{url: "http://127.0.0.1:1/", send_resolved: false}]
  - name: nobody
time_intervals:
  - name: night
    time_intervals: [{times: [{start_time: 22:00, end_time: 24:00}], location: Asia/Shanghai}]
"""


def test_orange_is_told_at_once_and_yellow_waits_for_company(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(O), say(Y, asset="W-2", device="d2"), at=1)
    assert s.told("duty") == [(1, "raised ORANGE W-1")]
    assert sorted(s.told("centre")) == [(1, "raised ORANGE W-1"), (31, "raised YELLOW W-2")]


def test_those_of_one_group_go_together_and_the_next_after_the_interval(scene: Made, say: Say) -> None:
    s = scene(FILE)
    for at, n in ((1, 1), (20, 2), (40, 3), (300, 4), (332, 5), (2000, 6)):
        s.take(say(B, at, f"d{n}", f"W-{n}"), at=at)
    s.take(say(B, 2000, "d7", "W-7", district="Longjie"), at=2001)
    assert [due for due, _ in s.told("centre")] == [31, 31, 331, 331, 631, 2030, 2031]


def test_what_worsens_is_told_at_once_and_what_was_held_goes_before_it(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(Y), at=1)
    s.take(say(O, 5), at=6)
    assert s.told("centre") == [(6, "raised YELLOW W-1"), (6, "worse ORANGE W-1")]
    assert s.told("duty") == [(6, "worse ORANGE W-1")]


def test_an_end_is_told_at_once_with_its_beginning(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(Y), at=1)
    s.take(say(N, 5), at=6)
    assert s.told("centre") == [(6, "raised YELLOW W-1"), (6, "resolved NORMAL W-1")]


def test_who_wants_no_end_hears_none(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(O), say(N, 5), at=6)
    assert s.told("duty") == [(6, "raised ORANGE W-1")]
    assert s.told("centre") == [(6, "raised ORANGE W-1"), (6, "resolved NORMAL W-1")]


def test_a_ticket_is_held_however_grave_its_rule(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(R, kind=Kind.TICKET), at=1)
    assert s.told("centre") == [(31, "raised YELLOW W-1")]


def test_a_red_hazard_that_leads_to_nobody_is_told_to_the_first_receiver(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(O, asset="W-9"), at=1)
    assert s.told("centre") == []
    s.take(say(R, 2, asset="W-9"), at=3)
    assert s.told("centre") == [(3, "worse RED W-9")]
    assert "unrouted" in s.acts()


def test_outside_its_hours_a_route_tells_of_red_hazards_only(scene: Made, say: Say) -> None:
    s = scene(FILE)  # it is 17:20 in Shanghai
    s.take(say(O, asset="W-8"), at=1)
    assert s.told("duty") == []
    s.take(say(R, 2, asset="W-8"), at=3)
    assert s.told("duty") == [(3, "worse RED W-8")]


def test_what_a_route_was_mute_about_by_its_hours_is_told_when_they_are_over_if_it_stands(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(O, asset="W-8"), say(O, 1, "d2", "W-8", hazard="biogas"), at=1)
    s.take(say(N, 2, "d2", "W-8", hazard="biogas"), at=2)
    ten = 4 * 3600 + 40 * 60  # 22:00 in Shanghai
    assert not s.look(ten - 1)
    assert s.told("duty") == []
    assert s.look(ten)
    assert s.told("duty") == [(ten, "raised ORANGE W-8 again")]
    assert not s.look(ten + 61)


def test_what_nobody_answers_is_said_again(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(O), at=0)
    s.sent(0)
    assert not s.look(3599)
    assert s.look(3600)
    assert not s.look(3601)
    assert s.look(7200)
    assert s.told("duty") == [(0, "raised ORANGE W-1"), (3600, "raised ORANGE W-1 again"), (7200, "raised ORANGE W-1 again")]
    (case,) = listed(s.database, live=True)
    s.book.acknowledge(case.id, "Li Na", "", case.t)
    assert not s.look(11000)
    s.take(say(R, 11000), at=11000)
    assert s.look(14600)
    assert s.told("centre")[-2:] == [(11000, "worse RED W-1"), (14600, "worse RED W-1 again")]


def test_what_has_ended_is_not_said_again(scene: Made, say: Say) -> None:
    s = scene(FILE)
    s.take(say(R), say(N, 10), at=10)
    assert listed(s.database, live=True)[0].state is State.GONE
    assert not s.look(4000)


def test_a_look_that_was_interrupted_is_made_good_by_the_next(scene: Made, say: Say) -> None:
    """The transaction breaks after the repetition was posted: nothing of it is there, and nothing is lost."""
    s = scene(FILE)
    s.take(say(O), at=0)
    s.sent(0)
    with s.database.write() as db:
        assert s.minder.repeat(db, T0 + 3600 * NS) == 2
        db.rollback()
    assert len(s.told("duty")) == 1
    other = scene(FILE)  # another process on the same database
    assert other.look(3600)
    assert len(other.told("duty")) == 2


def test_without_a_routing_file_the_channels_own_levels_decide(scene: Made, say: Say) -> None:
    s = scene(routes=[Route("phone"), Route("duty", O)])
    s.take(say(Y), at=1)
    assert s.told("phone") == [(1, "raised YELLOW W-1")]
    assert s.told("duty") == []
    assert not s.look(90_000)  # nothing is repeated
