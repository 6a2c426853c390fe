"""A provider's limit is kept, whatever waits; RED waits for nobody."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from alerts.book import Book
from alerts.channels.dingtalk import Dingtalk
from alerts.claim import Claim, _illustrated
from alerts.notice import Channel, Drop, Notice, Outcome, Sent, Texts
from alerts.outbox import Patience
from alerts.pace import MOST, Pace, Window, bundled, groups
from alerts.route import Route
from alerts.tables import Database, outbox
from alerts.ways import pauses, sends
from lifeline.clock import now
from lifeline.model import Change, Level
from tests.alerts import providers
from tests.alerts.sending import done, run, sending, states, until
from tests.alerts.story import PLAIN, noticed, told

N, B, Y, O, R = Level
Say = Callable[..., Change]
ROBOT = "robot"
MINUTE = 1.0  # [s] of the provider and the robot of these tests


class Fast(Dingtalk):
    """The robot with a minute of one second."""

    @property
    def pace(self) -> Pace:
        return Pace((Window(20, MINUTE, 5),))


def robot(provider: providers.Provider) -> Fast:
    return Fast(ROBOT, url=f"{provider.url}/robot/send")


def ding() -> providers.DingTalk:
    return providers.DingTalk(ROBOT, seconds=MINUTE)


def crowd(say: Say, n: int, level: Level = Y) -> list[Change]:
    return [say(level, i, f"d{i}", f"W-{i}") for i in range(n)]


def test_a_crowd_goes_together_and_the_provider_never_says_too_fast(database: Database, say: Say) -> None:
    async def work() -> None:
        book = Book(database, [Route("phone")])
        with ding() as provider:
            async with sending(database, {"phone": robot(provider)}) as worker:
                book.take(crowd(say, 200), now())
                worker.wake()
                await until(done(database))
            texts = [m["markdown"]["text"] for m in provider.heard]
        assert [state for state, _ in states(database)] == ["sent"] * 200
        assert len(provider.asked) == len(texts) <= 40
        assert all(any(f"：W-{i}\n" in text for text in texts) for i in range(200))
        assert any("共" in m["markdown"]["title"] for m in provider.heard)

    run(work())


def spend(database: Database, n: int) -> None:
    """So many messages of this minute are gone."""
    with database.write() as db:
        db.execute(sends.insert(), {"channel": "phone", "at": now(), "n": n})


def test_red_finds_a_place_although_others_have_used_up_theirs(database: Database, say: Say) -> None:
    async def work() -> None:
        book = Book(database, [Route("phone")])
        with ding() as provider:
            async with sending(database, {"phone": robot(provider)}, Patience(poll=0.02)) as worker:
                spend(database, 15)
                book.take([say(Y, 50, "x", "X"), say(R, 60, "r", "RED-1")], now())
                worker.wake()
                await until(lambda: len(provider.heard) == 1)
                waiting = [state for state, _ in states(database)].count("waiting")
                await until(done(database))
        assert "RED-1" in provider.heard[0]["markdown"]["title"]
        assert waiting >= 1
        assert [state for state, _ in states(database)] == ["sent", "sent"]

    run(work())


def test_a_yellow_of_the_same_warning_does_not_hold_up_its_red(database: Database, say: Say) -> None:
    async def work() -> None:
        book = Book(database, [Route("phone")])
        with ding() as provider:
            channel = robot(provider)
            spend(database, 15)
            async with sending(database, {"phone": channel}, Patience(poll=0.02)) as worker:
                book.take([say(Y), say(R, 1)], now())
                worker.wake()
                await until(lambda: len(provider.heard) == 2, 0.8)
        assert "红色" in provider.heard[1]["markdown"]["title"]

    run(work())


def test_a_restart_does_not_begin_a_new_minute(database: Database, say: Say) -> None:
    async def work() -> None:
        book = Book(database, [Route("phone")])
        with ding() as provider:
            for round_ in range(6):
                async with sending(database, {"phone": robot(provider)}) as worker:
                    book.take([say(Y, 100 * round_ + i, f"d{round_}.{i}", f"W-{round_}-{i}") for i in range(10)], now())
                    worker.wake()
                    await asyncio.sleep(0.1)
            async with sending(database, {"phone": robot(provider)}):
                await until(done(database))
        assert [state for state, _ in states(database)] == ["sent"] * 60
        assert len(provider.asked) == len(provider.heard)  # it never said "too fast"

    run(work())


def test_two_desks_on_one_database_share_one_minute(database: Database, say: Say) -> None:
    async def work() -> None:
        book = Book(database, [Route("phone")])
        with ding() as provider:
            ways = [robot(provider), robot(provider)]
            async with (
                sending(database, {"phone": ways[0]}, holder="one") as first,
                sending(database, {"phone": ways[1]}, holder="two") as second,
            ):
                for i in range(60):
                    book.take([say(Y, i, f"d{i}", f"W-{i}")], now())
                    first.wake()
                    second.wake()
                    await asyncio.sleep(0.01)
                await until(done(database))
        assert [state for state, _ in states(database)] == ["sent"] * 60
        assert len(provider.asked) == len(provider.heard)

    run(work())


def test_when_the_provider_says_too_fast_all_but_red_leave_it_alone(database: Database, say: Say) -> None:
    async def work() -> None:
        book = Book(database, [Route("phone")])
        with ding() as provider:
            provider.then((200, b'{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}'))
            async with sending(database, {"phone": robot(provider)}, Patience(poll=0.02)) as worker:
                book.take([say(Y)], now())
                worker.wake()
                await until(lambda: _muted(database))
                book.take(crowd(say, 5), now())
                worker.wake()
                await asyncio.sleep(0.3)
                assert len(provider.asked) == 1
                book.take([say(R, 60, "r", "RED-1")], now())
                worker.wake()
                await until(lambda: len(provider.heard) == 1)
        assert "RED-1" in provider.heard[0]["markdown"]["title"]

    run(work())


@dataclass
class Picky:
    """Refuses whatever holds a word."""

    word: str
    heard: list[Notice] = field(default_factory=list)
    pace: Pace = field(default_factory=lambda: Pace((Window(2, 0.3),)))

    def fits(self, _notice: Notice) -> bool:
        return True

    async def send(self, notice: Notice) -> Outcome:
        if self.word in notice.texts.zh:
            return Drop("no such word here", "clientError")
        self.heard.append(notice)
        return Sent("well")

    async def close(self) -> None:
        """Nothing to close."""


def test_one_notice_that_is_refused_spoils_no_other(database: Database, say: Say) -> None:
    async def work() -> None:
        book = Book(database, [Route("phone")])
        picky: Channel = Picky("：W-3\n")
        async with sending(database, {"phone": picky}, Patience(base=0.02, cap=0.2, poll=0.02)) as worker:
            book.take(crowd(say, 6), now())
            worker.wake()
            await until(done(database))
        with database.read() as db:
            fates = {r.state: r.body for r in db.execute(select(outbox.c.state, outbox.c.body))}
        assert sorted(s for s, _ in states(database)) == ["dropped"] + ["sent"] * 5
        assert "W-3" in fates["dropped"]

    run(work())


@dataclass(frozen=True)
class Page:
    """Room for a few."""

    room: int
    pace: Pace = field(default_factory=lambda: Pace((Window(20, 60.0),)))

    def fits(self, notice: Notice) -> bool:
        return notice.count <= self.room

    async def send(self, _notice: Notice) -> Outcome:
        return Sent("")

    async def close(self) -> None:
        """Nothing to close."""


@given(
    levels=st.lists(st.sampled_from([B, Y, O, R]), max_size=60),
    messages=st.integers(0, 20),
    room=st.integers(1, 30),
    weight=st.integers(1, 2),
    alone=st.sets(st.integers(0, 59)),
)
def test_messages_are_never_more_than_allowed_nobody_twice_and_red_first(
    levels: list[Level], messages: int, room: int, weight: int, alone: set[int]
) -> None:
    notices = [made(i, level) for i, level in enumerate(levels)]
    channel = Page(room, Pace((Window(20, 60.0),), weight))
    found = groups(notices, messages, channel, {f"n{i}" for i in alone})
    assert len(found) <= messages
    _, costs = _illustrated([[Claim(notices[i], 1, 0) for i in g] for g in found], weight, messages)
    assert sum(costs) <= messages
    named = [i for g in found for i in g]
    assert len(named) == len(set(named))
    assert all(len(g) <= min(room, MOST) for g in found)
    assert all(len(g) == 1 or not set(g) & alone for g in found)
    left = set(range(len(levels))) - set(named)
    if any(levels[i] is R for i in left) and weight == 1:
        assert all(any(levels[i] is R for i in g) for g in found)  # no message without RED while RED waits
    if len(levels) * weight <= messages:
        assert not left


def test_a_bundle_says_how_many_and_the_gravest_first() -> None:
    both = bundled([made(1, Y), made(2, R)])
    assert both.texts.zh_title.startswith("【共 2 条，最高红色】")
    assert both.texts.en.index("en 2") < both.texts.en.index("en 1")
    assert (both.count, both.story.level) == (2, "RED")
    assert bundled([made(1, Y)]) == made(1, Y)


def _muted(database: Database) -> bool:
    with database.read() as db:
        return any(until_ > now() for until_ in db.execute(select(pauses.c.until)).scalars())


def made(i: int, level: Level) -> Notice:
    story = msgspec.structs.replace(STORY, level=level.name, warning=f"w{i}")
    return noticed(story, id=f"n{i}", texts=Texts(f"题 {i}", f"文 {i}", f"title {i}", f"en {i}"))


STORY = told(PLAIN)
