"""A clock that is set, and a machine that sleeps, hide no silence and make none."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import select, update

from alerts import queries
from alerts.chain import Chain
from alerts.desk import Desk, Settings
from alerts.lane import Patience
from alerts.route import Route
from alerts.set_back import draw_near
from alerts.tables import Database, chains, outbox
from lifeline import canary
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS, Change, Domain, Kind, Level
from tests.alerts.test_canary import Ear, pushed

T0 = 1_767_000_000 * NS
HOUR = 3600 * NS
Say = Callable[..., Change]


class Room:
    """A desk that listens to `watch`, and whoever sets its clock."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self.at, self.ear = T0, Ear()
        settings = Settings("chengjiang", canary=180.0, canary_channel="ear", sources=("watch",))
        self.desk = Desk.of(settings, database, catalog, [Route("ear")], {"ear": self.ear}, self)

    def now(self) -> int:
        return self.at

    async def until(self, t: int) -> None:
        await FastClock(t).until(t)

    def listen(self, seconds: int, *, heard: bool) -> None:
        """So long, with a look every 5 s."""
        for _ in range(seconds // 5):
            self.at += 5 * NS
            if heard:
                self.desk.book.heard("watch", '{"source": "watch"}', self.at)
            self.desk.deadman.check(self.at)

    @property
    def said(self) -> list[str]:
        return [c.hazard for c in queries.listed(self.desk.database, live=True) if c.level]


@pytest.fixture
def room(database: Database, catalog: Catalog) -> Room:
    return Room(database, catalog)


def test_a_clock_set_back_hides_no_silence(room: Room) -> None:
    room.listen(40, heard=True)
    room.at -= HOUR
    room.listen(40, heard=False)
    assert room.said == ["pipeline_silent"]


def test_a_clock_set_back_makes_no_silence(room: Room) -> None:
    room.listen(40, heard=True)
    room.at -= HOUR
    room.desk.deadman.check(room.at)
    room.listen(40, heard=True)
    assert room.said == []


def test_a_desk_that_starts_with_an_earlier_clock_hides_no_silence(room: Room, database: Database, catalog: Catalog) -> None:
    room.listen(40, heard=True)
    again = Room(database, catalog)
    again.at -= HOUR
    again.listen(40, heard=False)
    assert again.said == ["pipeline_silent"]


def test_a_machine_that_slept_first_listens(room: Room) -> None:
    room.listen(40, heard=True)
    room.at += 8 * HOUR
    room.desk.deadman.check(room.at)  # before anybody could be heard
    assert room.said == []
    room.listen(40, heard=True)
    assert room.said == []
    room.at += 8 * HOUR
    room.listen(40, heard=False)
    assert room.said == ["pipeline_silent"]


def test_looks_that_are_always_far_apart_put_no_warning_off(room: Room) -> None:
    room.listen(40, heard=True)
    for _ in range(3):
        room.at += 40 * NS
        room.desk.deadman.check(room.at)
    assert room.said == ["pipeline_silent"]


def test_one_that_cannot_work_is_warned_of_though_the_clock_was_set_back(room: Room) -> None:
    room.listen(40, heard=True)
    ill = '{"source": "watch", "not_ready": ["no disk"]}'
    room.desk.book.heard("watch", ill, room.at)
    room.at -= HOUR
    for _ in range(20):
        room.at += 5 * NS
        room.desk.book.heard("watch", ill, room.at)
        room.desk.deadman.check(room.at)
    assert room.said == ["pipeline_failing"]


@pytest.mark.parametrize("now", [Level.RED, Level.BLUE, Level.NORMAL])
def test_nobody_is_called_later_because_the_clock_was_set_back(room: Room, say: Say, now: Level) -> None:
    room.desk.take([say(Level.RED)])
    if now < Level.RED:
        room.desk.take([say(now, 1)])
        assert Chain(room.desk.book).turn(room.at + 180 * NS) > 0  # plans the next one by what stands now
    room.at -= 8 * HOUR
    near = partial(draw_near, room.desk.database, room.desk.book.deadlines, Patience())
    assert near(room.at) > 1
    with room.desk.database.read() as db:
        (step,) = db.execute(select(chains.c.due).where(chains.c.fate == "waiting")).scalars()
        told = db.execute(select(outbox.c.due, outbox.c.made)).all()
    assert step == room.at + 180 * NS
    assert max(r.due for r in told) <= room.at
    assert near(room.at) == near(room.at + 60 * NS) == 0, "once"
    assert Chain(room.desk.book).turn(room.at + 180 * NS) > 0


def test_what_waits_as_it_should_is_left_as_it_is(room: Room, say: Say) -> None:
    room.desk.take([say(Level.RED), say(Level.BLUE, 0, "d2", "W-2"), say(Level.YELLOW, 0, "d3", "W-3", kind=Kind.TICKET)])
    for seconds in (0, 100, 7000):
        assert draw_near(room.desk.database, room.desk.book.deadlines, Patience(), room.at + seconds * NS) == 0


def test_what_was_tried_or_held_is_tried_again_in_its_time(room: Room, say: Say) -> None:
    room.desk.take([say(Level.RED)])
    later = room.at + HOUR
    with room.desk.database.write() as db:
        db.execute(update(outbox).values(attempts=3, due=later, lease=later))
    assert draw_near(room.desk.database, room.desk.book.deadlines, Patience(), room.at) > 0
    with room.desk.database.read() as db:
        told = db.execute(select(outbox.c.due, outbox.c.lease)).all()
    assert {tuple(r) for r in told} == {(room.at + 300 * NS, room.at + 12 * NS)}


def test_a_canary_from_the_future_silences_none_after_it(room: Room, say: Say) -> None:
    bird = {"device": canary.NAME, "asset": canary.NAME, "rule": canary.RULE, "hazard": canary.NAME, "kind": Kind.TICKET}
    bird |= {"domain": Domain.OTHER}
    assert room.desk.canary is not None
    room.desk.take([say(Level.BLUE, 3600, **bird)])  # its clock was an hour ahead
    room.at += 60 * NS
    room.desk.take([say(Level.BLUE, 60, **bird)])
    room.desk.take([say(Level.BLUE, 60, **bird)])  # said again
    assert len(room.desk.canary._back) == 2


def test_a_canary_heard_before_the_clock_was_set_back_hides_no_silence(room: Room, say: Say) -> None:
    room.listen(40, heard=True)
    bird = {"device": canary.NAME, "asset": canary.NAME, "rule": canary.RULE, "hazard": canary.NAME, "kind": Kind.TICKET}
    assert room.desk.canary is not None
    room.desk.take([say(Level.BLUE, 60, domain=Domain.OTHER, **bird)])
    pushed(room.desk.canary, 1)
    room.at -= HOUR
    room.listen(200, heard=True)
    assert room.said == ["pipeline_canary"]
