"""The canary at the desk: pushed, measured, missed; and never a warning by itself."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import func, select

from alerts import queries
from alerts.canary import Canary
from alerts.desk import Desk, Settings
from alerts.notice import Notice, Outcome, Retry, Sent
from alerts.route import Route
from alerts.tables import Database, audit, changes, outbox
from lifeline import canary
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS, Change, Domain, Kind, Level

T0 = 1_767_000_000 * NS
Say = Callable[..., Change]


class Ear:
    """A channel that keeps what it hears, or says that it cannot."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        self.heard: list[Notice] = []
        self._outcome = outcome or Sent("heard")

    async def send(self, notice: Notice) -> Outcome:
        self.heard.append(notice)
        return self._outcome

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def clock() -> FastClock:
    return FastClock(T0)


def desk(database: Database, catalog: Catalog, clock: FastClock, ear: Any, silence: float = 180.0) -> Desk:
    settings = Settings("chengjiang", canary=silence, canary_channel="ear" if silence else "", sources=("watch",))
    return Desk.of(settings, database, catalog, [Route("ear")], {"ear": ear}, clock)


def bird(say: Say, at: float, level: Level = Level.BLUE) -> Change:
    """A canary that was sent `at` seconds after the beginning."""
    return say(
        level,
        at,
        device=canary.NAME,
        asset=canary.NAME,
        rule=canary.RULE,
        hazard=canary.NAME,
        kind=Kind.TICKET,
        domain=Domain.OTHER,
    )


def pushed(made: Canary, n: int) -> None:
    """Run it until it has pushed so many, or failed to."""

    async def work() -> None:
        running = asyncio.create_task(made.run())
        while len(made._way.heard) < n or made._back:  # type: ignore[attr-defined]  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(asyncio.wait_for(work(), 20))


def figure(made: Desk, name: str) -> float:
    return made.meters.registry.get_sample_value(name) or 0.0


def alive(made: Desk, clock: FastClock) -> None:
    made.book.heard("watch", '{"source": "watch"}', clock.now())


def test_one_that_comes_back_is_pushed_as_a_test_and_is_in_no_book(
    database: Database, catalog: Catalog, clock: FastClock, say: Say
) -> None:
    ear = Ear()
    made = desk(database, catalog, clock, ear)
    asyncio.run(clock.until(T0 + round(0.4 * NS)))
    taken = made.take([bird(say, 0), bird(say, 0.001, Level.NORMAL), say(Level.YELLOW, 0.1)])
    made.take([bird(say, 0)])  # said again
    assert taken.accepted == 1
    assert made.canary is not None
    pushed(made.canary, 1)
    assert [n.exercise for n in ear.heard] == [True]
    assert "EXERCISE" in ear.heard[0].texts.en_title
    assert [w.asset for w in queries.listed(database, live=False)] == ["W-1"]
    with database.read() as db:
        assert db.execute(select(func.count()).select_from(changes)).scalar_one() == 1
        assert db.execute(select(outbox.c.warning).distinct()).scalars().all() == [queries.listed(database, live=False)[0].id]
        assert canary.NAME not in str(db.execute(select(audit.c.detail)).scalars().all())
    assert figure(made, "lifeline_canary_seconds_count") == 1
    assert figure(made, "lifeline_canary_seconds_sum") == pytest.approx(0.4)
    asyncio.run(clock.until(T0 + 60 * NS))
    assert b"lifeline_canary_age_seconds 59.6" in made.meters.page(clock.now())


def test_its_silence_is_a_warning_of_the_monitoring_and_its_return_ends_it(
    database: Database, catalog: Catalog, clock: FastClock, say: Say
) -> None:
    ear = Ear()
    made = desk(database, catalog, clock, ear)
    asyncio.run(clock.until(T0 + 181 * NS))
    alive(made, clock)
    assert made.deadman.check(clock.now())
    assert not made.deadman.check(clock.now())
    (case,) = queries.listed(database, live=True)
    assert (case.hazard, case.asset, case.level) == ("pipeline_canary", "pipeline", Level.ORANGE)
    assert made.deadman.wrong(clock.now()) == [
        "canary: no reading has come all the way from the broker to a push for more than 180 s"
    ]
    made.take([bird(say, 181.5)])
    asyncio.run(clock.until(T0 + 182 * NS))
    assert made.canary is not None
    pushed(made.canary, 1)
    assert made.deadman.check(clock.now())
    assert queries.listed(database, live=False)[0].level is Level.NORMAL
    assert made.deadman.wrong(clock.now()) == []


def test_what_explains_its_silence_is_the_only_warning(database: Database, catalog: Catalog, clock: FastClock) -> None:
    made = desk(database, catalog, clock, Ear())
    asyncio.run(clock.until(T0 + 300 * NS))
    made.deadman.check(clock.now())
    assert [c.hazard for c in queries.listed(database, live=True)] == ["pipeline_silent"]
    asyncio.run(clock.until(T0 + 301 * NS))
    alive(made, clock)
    made.deadman.check(clock.now())
    asyncio.run(clock.until(T0 + 320 * NS))
    made.deadman.check(clock.now())  # watch is back: the canary has its time to come
    assert [(c.hazard, c.level) for c in queries.listed(database, live=False)] == [("pipeline_silent", Level.NORMAL)]


def test_a_push_that_fails_proves_nothing(database: Database, catalog: Catalog, clock: FastClock, say: Say) -> None:
    ear = Ear(Retry("no", "serverError"))
    made = desk(database, catalog, clock, ear)
    made.take([bird(say, 0)])
    assert made.canary is not None
    pushed(made.canary, 1)
    assert figure(made, "lifeline_canary_failed_total") == 1
    asyncio.run(clock.until(T0 + 181 * NS))
    alive(made, clock)
    assert made.deadman.check(clock.now())


def test_where_none_is_sent_none_is_missed_and_what_stood_ends(database: Database, catalog: Catalog, clock: FastClock) -> None:
    made = desk(database, catalog, clock, Ear())
    asyncio.run(clock.until(T0 + 181 * NS))
    alive(made, clock)
    made.deadman.check(clock.now())
    again = desk(database, catalog, clock, Ear(), silence=0.0)
    asyncio.run(clock.until(T0 + 182 * NS))
    alive(again, clock)
    assert again.deadman.check(clock.now())
    assert [c.level for c in queries.listed(database, live=False)] == [Level.NORMAL]
    assert again.deadman.wrong(clock.now()) == []
