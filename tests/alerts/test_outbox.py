"""Delivery to a real HTTP receiver that answers well, badly, slowly or not at all."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, select

from alerts.book import Book
from alerts.channels.webhook import Webhook
from alerts.desk import Desk, Settings
from alerts.meters import Meters
from alerts.notice import Channel, Notice, Outcome
from alerts.outbox import Outbox, Patience
from alerts.queries import history, listed
from alerts.route import Route
from alerts.tables import Database, audit, outbox
from bench.receiver import Got, Receiver, Reply
from lifeline.catalog import Catalog
from lifeline.clock import Clock, WallClock, now
from lifeline.model import NS, Change, Level

N, B, Y, O, R = Level
Say = Callable[..., Change]
BEARER = "s3cret"
QUICK = Patience(timeout=5.0, base=0.02, cap=0.2, deadline=30.0, lease=20.0, poll=0.05, grace=1.0)


@asynccontextmanager
async def sending(
    database: Database,
    channels: dict[str, Channel],
    patience: Patience = QUICK,
    meters: Meters | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Outbox]:
    worker = Outbox(database, channels, clock or WallClock(), meters or Meters(database), patience)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool], patience: float = 10.0) -> None:
    async with asyncio.timeout(patience):
        while not true():  # noqa: ASYNC110  what is waited for is in a database or another thread
            await asyncio.sleep(0.005)


def states(database: Database, channel: str = "phone") -> list[tuple[str, int]]:
    with database.read() as db:
        query = select(outbox.c.state, outbox.c.attempts).where(outbox.c.channel == channel)
        return [tuple(r) for r in db.execute(query.order_by(outbox.c.warning, outbox.c.version, outbox.c.id))]


def done(database: Database, channel: str = "phone") -> Callable[[], bool]:
    return lambda: all(state != "waiting" for state, _ in states(database, channel))


def what(got: list[Got]) -> list[str]:
    return [f"{g.json['status']} {g.json['alerts'][0]['labels']['severity']}" for g in got]


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database, [Route("phone")])


def test_a_warning_arrives_in_alertmanagers_shape_with_our_fields(book: Book, say: Say) -> None:
    async def work() -> None:
        with Receiver() as phone:
            async with sending(book.database, {"phone": Webhook(phone.url, token=BEARER)}):
                book.take([say(O)], now())
                await until(done(book.database))
            (got,) = phone.got
            case = listed(book.database, live=True)[0]
            body, alert = got.json, got.json["alerts"][0]
            assert got.headers["idempotency-key"] == f"{case.id}.1.phone"
            assert got.headers["authorization"] == f"Bearer {BEARER}"
            assert (body["version"], body["status"], body["receiver"], body["truncatedAlerts"]) == ("4", "firing", "phone", 0)
            assert set(body) == {
                "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
                "commonAnnotations", "externalURL", "alerts", "lifeline",
            }  # fmt: skip
            assert set(alert) == {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
            assert (alert["fingerprint"], alert["endsAt"]) == (case.id, "0001-01-01T00:00:00Z")
            ours = body["lifeline"]
            assert (ours["warning"], ours["level"], ours["asset"], ours["onset"]) == (case.id, "ORANGE", "W-1", case.onset)
            assert ours["grounds"][0]["evidence"]["bounds"]["RED"] == 5.0
            assert ours["place"] == {"lat": 24.67, "lon": 102.91}
            assert "橙色预警" in ours["texts"]["zh"]
            assert ours["latency_s"] > 0
            assert case.pushed is not None
            assert case.latency == pytest.approx((case.pushed - case.t) / NS)

    run(work())


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Reply(500), "serverError"),
        (Reply(503, (("Retry-After", "0"),)), "serverError"),
        (Reply(429, (("Retry-After", "0"),)), "rateLimited"),
        (Reply(wait=1.0), "timeout"),
        (Reply(reset=True), "connection"),
    ],
)
def test_what_fails_for_now_is_sent_again_under_the_same_id(book: Book, say: Say, bad: Reply, reason: str) -> None:
    async def work() -> None:
        meters = Meters(book.database)
        patience = replace(QUICK, timeout=0.5) if bad.wait else QUICK
        with Receiver([bad, bad]) as phone:
            async with sending(book.database, {"phone": Webhook(phone.url)}, patience, meters):
                book.take([say(Y)], now())
                await until(done(book.database))  # which is a little earlier than counted
                counted = ("lifeline_desk_notifications_total", {"integration": "phone"})
                await until(lambda: meters.registry.get_sample_value(*counted) == 1)
            assert states(book.database) == [("sent", 3)]
            assert len(phone.got) == 3
            assert len({g.headers["idempotency-key"] for g in phone.got}) == 1
            labels = {"integration": "phone", "reason": reason}
            assert meters.registry.get_sample_value("lifeline_desk_notifications_failed_total", labels) == 2

    run(work())


def test_the_receivers_wish_to_be_left_alone_is_heeded(book: Book, say: Say) -> None:
    async def work() -> None:
        patience = Patience(base=0.01, cap=5.0, poll=0.05)
        with Receiver([Reply(429, (("Retry-After", "1"),))]) as phone:
            async with sending(book.database, {"phone": Webhook(phone.url)}, patience):
                book.take([say(Y)], now())
                await until(done(book.database))
            first, second = phone.got
            assert second.at - first.at >= NS

    run(work())


def test_what_can_never_be_delivered_is_given_up_and_told_through_another_channel(book: Book, say: Say) -> None:
    async def work() -> None:
        meters = Meters(book.database)
        with Receiver([Reply(400, body=b"no such robot")]) as phone, Receiver() as other:
            channels: dict[str, Channel] = {"phone": Webhook(phone.url), "other": Webhook(other.url)}
            async with sending(book.database, channels, meters=meters):
                book.take([say(Y)], now())
                await until(lambda: len(other.got) == 1)
                await until(done(book.database, "other"))
            assert states(book.database) == [("dropped", 1)]
            assert "phone could not deliver" in other.got[0].json["lifeline"]["texts"]["en"]
            assert "no such robot" in other.got[0].json["lifeline"]["texts"]["zh"]
            assert meters.registry.get_sample_value("lifeline_desk_notifications_given_up_total", {"integration": "phone"}) == 1
            with book.database.read() as db:
                acts = db.execute(select(audit.c.act, audit.c.by).order_by(audit.c.id)).all()
            assert [tuple(a) for a in acts] == [("raised", "gas.methane.limit"), ("gave_up", "phone"), ("notified", "other")]

    run(work())


def test_a_login_refused_is_told_through_another_channel_once_while_it_is_tried_again(book: Book, say: Say) -> None:
    async def work() -> None:
        with Receiver([Reply(401), Reply(404), Reply(403)]) as phone, Receiver() as other:
            channels: dict[str, Channel] = {"phone": Webhook(phone.url), "other": Webhook(other.url)}
            async with sending(book.database, channels):
                book.take([say(R)], now())
                await until(lambda: states(book.database) == [("sent", 4)])
                await until(lambda: len(other.got) == 1 and done(book.database, "other")())
                await asyncio.sleep(0.1)
            assert len(other.got) == 1
            with book.database.read() as db:
                acts = db.execute(select(audit.c.act).where(audit.c.by == "phone").order_by(audit.c.id)).scalars().all()
            assert acts == ["delayed", "notified"]

    run(work())


def test_a_desk_that_gave_up_a_notice_is_not_ready_for_ten_minutes(database: Database, catalog: Catalog, say: Say) -> None:
    async def work() -> None:
        clock = Ahead()
        with Receiver(after=Reply(400)) as phone:
            channels: dict[str, Channel] = {"phone": Webhook(phone.url)}
            desk = Desk.of(Settings("c", sources=()), database, catalog, [Route("phone")], channels, clock)
            async with sending(database, channels, clock=clock):
                desk.book.take([say(Y)], now())
                await until(done(database))
        assert desk.reasons() == ["phone: notices given up in the last 10 min: 1"]
        clock.ahead = 601 * NS
        assert desk.reasons() == []

    run(work())


def test_two_dead_channels_do_not_tell_of_each_other_for_ever(book: Book, say: Say) -> None:
    async def work() -> None:
        with Receiver(after=Reply(400)) as phone, Receiver(after=Reply(400)) as other:
            channels: dict[str, Channel] = {"phone": Webhook(phone.url), "other": Webhook(other.url)}
            async with sending(book.database, channels):
                book.take([say(Y)], now())
                await until(lambda: len(other.got) == 1)
                await until(done(book.database, "other"))
                await asyncio.sleep(0.2)
            assert (len(phone.got), len(other.got)) == (1, 1)

    run(work())


class Ahead(WallClock):
    """A wall clock that can be put forward."""

    ahead = 0  # [ns]

    def now(self) -> int:
        return super().now() + self.ahead


def test_after_the_deadline_a_notice_is_given_up(book: Book, say: Say) -> None:
    async def work() -> None:
        clock = Ahead()
        with Receiver(after=Reply(500)) as phone:
            async with sending(book.database, {"phone": Webhook(phone.url)}, clock=clock):
                book.take([say(Y)], now())
                await until(lambda: len(phone.got) > 1)
                clock.ahead = 31 * NS
                await until(lambda: states(book.database)[0][0] == "dropped")
        with book.database.read() as db:
            assert db.execute(select(outbox.c.words)).scalar_one().startswith("gave up after")

    run(work())


def test_notices_of_one_warning_arrive_in_their_order_whatever_fails(book: Book, say: Say) -> None:
    async def work() -> None:
        with Receiver([Reply(500), Reply(500), Reply(), Reply(500)]) as phone:
            async with sending(book.database, {"phone": Webhook(phone.url)}) as worker:
                book.take([say(O), say(Y, 1), say(N, 2)], now())
                worker.wake()
                await until(done(book.database))
            assert what(phone.got) == [
                "firing ORANGE", "firing ORANGE", "firing ORANGE", "firing YELLOW", "firing YELLOW", "resolved NORMAL",
            ]  # fmt: skip

    run(work())


def test_a_worse_level_does_not_wait_for_the_patience_of_the_milder_one(book: Book, say: Say) -> None:
    async def work() -> None:
        patience = Patience(base=30.0, cap=60.0, poll=0.05)
        with Receiver([Reply(500)]) as phone:
            async with sending(book.database, {"phone": Webhook(phone.url)}, patience) as worker:
                book.take([say(Y)], now())
                await until(lambda: len(phone.got) == 1)
                await until(lambda: states(book.database) == [("waiting", 1)])
                await asyncio.sleep(0.1)
                book.take([say(R, 1)], now())
                worker.wake()
                await until(done(book.database), 5.0)
            assert what(phone.got) == ["firing YELLOW", "firing RED"]

    run(work())


def test_a_milder_notice_that_keeps_failing_does_not_hold_up_red_and_is_not_lost(book: Book, say: Say) -> None:
    async def work() -> None:
        with Receiver([Reply(500), Reply(500)]) as phone:
            async with sending(book.database, {"phone": Webhook(phone.url)}) as worker:
                book.take([say(Y), say(O, 1), say(R, 2), say(Y, 3)], now())
                worker.wake()
                await until(done(book.database))
            assert what(phone.got) == ["firing YELLOW", "firing ORANGE", "firing RED", "firing YELLOW"]
        assert [state for state, _ in states(book.database)] == ["superseded", "superseded", "sent", "sent"]
        (case,) = listed(book.database, live=True)
        known = history(book.database, case.id, now()) or {}
        words = {n["version"]: n["words"] for n in known["notices"]}
        assert words[1].startswith("superseded by version 3")
        assert "500" in words[1]
        with book.database.read() as db:
            assert len(db.execute(select(audit.c.id).where(audit.c.act == "superseded")).all()) == 2

    run(work())


def test_an_all_clear_that_fails_does_not_hold_up_the_red_that_returns(book: Book, say: Say) -> None:
    async def work() -> None:
        with Receiver([Reply(), Reply(500)]) as phone:
            async with sending(
                book.database, {"phone": Webhook(phone.url)}, Patience(base=30.0, cap=60.0, poll=0.05)
            ) as worker:
                book.take([say(R), say(N, 1)], now())
                worker.wake()
                await until(lambda: len(phone.got) == 2)
                book.take([say(R, 2)], now())
                worker.wake()
                await until(done(book.database), 5.0)
            assert what(phone.got) == ["firing RED", "resolved NORMAL", "firing RED"]

    run(work())


def test_a_slow_channel_holds_up_no_other(database: Database, say: Say) -> None:
    async def work() -> None:
        book = Book(database, [Route("slow"), Route("phone")])
        with Receiver(after=Reply(wait=0.4)) as slow, Receiver() as phone:
            async with sending(database, {"slow": Webhook(slow.url), "phone": Webhook(phone.url)}) as worker:
                book.take([say(Y, i, f"d{i}", f"W-{i}") for i in range(40)], now())
                worker.wake()
                await until(done(database, "phone"), 5.0)
                waiting = sum(state == "waiting" for state, _ in states(database, "slow"))
            assert waiting > 20
            assert len(phone.got) == 40

    run(work())


class Dying:
    """Delivers, and dies before anybody can write it down."""

    def __init__(self, real: Channel) -> None:
        self._real = real

    async def send(self, notice: Notice) -> Outcome:
        await self._real.send(notice)
        await asyncio.sleep(3600)
        raise AssertionError

    async def close(self) -> None:
        await self._real.close()


def test_a_crash_between_sending_and_writing_it_down_sends_the_same_again(book: Book, say: Say) -> None:
    async def work() -> None:
        with Receiver() as phone:
            hard = Patience(timeout=100.0, lease=200.0, grace=0.0, poll=0.05)
            async with sending(book.database, {"phone": Dying(Webhook(phone.url))}, hard):
                book.take([say(Y)], now())
                await until(lambda: len(phone.got) == 1)
            assert states(book.database) == [("waiting", 1)]
            async with sending(
                book.database, {"phone": Webhook(phone.url)}
            ):  # the same desk, started again, need not wait for its lease
                await until(done(book.database))
            first, second = phone.got
            assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
            assert first.json["lifeline"]["grounds"] == second.json["lifeline"]["grounds"]

    run(work())


class Broken:
    """A channel with a bug."""

    def __init__(self) -> None:
        self.calls = 0

    async def send(self, _notice: Notice) -> Outcome:
        self.calls += 1
        raise KeyError("robot")

    async def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # whose errors it makes
def test_a_database_that_refuses_for_a_moment_makes_no_notice_twice(book: Book, say: Say, ear: Any) -> None:
    refusals = [3]

    @event.listens_for(book.database.engine, "before_cursor_execute")
    def fail(*args: Any) -> None:
        if refusals[0] and args[2].startswith("UPDATE outbox SET state"):
            refusals[0] -= 1
            raise sqlite3.OperationalError("database or disk is full")

    async def work() -> None:
        async with sending(book.database, {"phone": ear}):
            book.take([say(Y)], now())
            await until(done(book.database))
        assert refusals == [0]
        assert len(ear.heard) == 1

    run(work())


def test_a_bug_in_one_channel_stops_no_other_and_shows(database: Database, say: Say, ear: Any) -> None:
    async def work() -> None:
        book, broken = Book(database, [Route("broken"), Route("phone")]), Broken()
        async with sending(database, {"broken": broken, "phone": ear}):
            book.take([say(Y)], now())
            await until(lambda: broken.calls > 1 and len(ear.heard) == 1)
        with database.read() as db:
            words = db.execute(select(outbox.c.words).where(outbox.c.channel == "broken")).scalar_one()
        assert words == "KeyError: 'robot'"

    run(work())


def test_a_channel_taken_out_of_the_configuration_leaves_nothing_waiting(book: Book, say: Say, ear: Any) -> None:
    async def work() -> None:
        book.take([say(Y)], now())
        async with sending(book.database, {"duty": ear}):
            await until(lambda: len(ear.heard) == 1)
        assert states(book.database) == [("dropped", 0)]
        assert "phone could not deliver" in ear.heard[0].texts.en_title

    run(work())


def test_pushed_is_the_first_delivery_of_the_latest_rise(book: Book, say: Say, ear: Any) -> None:
    async def work() -> None:
        async with sending(book.database, {"phone": ear}) as worker:
            for change in (say(Y), say(O, 1), say(Y, 2), say(N, 3)):
                book.take([change], now())
                worker.wake()
                await until(done(book.database))
        (case,) = listed(book.database, live=False)
        steps = (history(book.database, case.id, now()) or {})["steps"]
        assert [s["level"] for s in steps] == ["YELLOW", "ORANGE", "YELLOW", "NORMAL"]
        assert case.pushed == steps[1]["pushed"]
        assert case.latency == pytest.approx((case.pushed - steps[1]["t"]) / NS)

    run(work())


def test_retries_wait_longer_each_time_and_not_all_alike() -> None:
    patience = Patience(base=1.0, cap=60.0)
    waits = [patience.wait("w.1.phone", n, None) for n in range(1, 12)]
    assert all(0.5 * min(60, 2**n) <= w <= min(60, 2**n) for n, w in enumerate(waits))
    assert len({patience.wait(f"w{i}.1.phone", 1, None) for i in range(100)}) == 100
    assert 7.0 <= patience.wait("w.1.phone", 1, 7.0) < 7.2
    assert patience.wait("w.1.phone", 1, 1e9) < 61.0
