"""Who looks on is told, whatever becomes of the others; a page that cannot be drawn grows old, and says so."""

import asyncio
import re
import threading
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.datastructures import Headers

from alerts.console.pulse import OLDEST, Guest, Pulse, Snapshot
from alerts.roles import Role
from lifeline.clock import FastClock
from lifeline.model import NS

T0 = 1_767_000_000 * NS
Told = Callable[..., Awaitable[None] | None]


class Browser:
    """As nicegui shows one to the pulse."""

    def __init__(self, name: str) -> None:
        self.id, self.page, self.said, self.come = name, SimpleNamespace(path=f"/{name}"), [""], list[Callable[[], None]]()
        self.has_socket_connection = True

    def __enter__(self) -> None:
        pass

    def __exit__(self, *why: object) -> None:
        pass

    def on_connect(self, do: Callable[[], None]) -> None:
        self.come.append(do)

    def on_delete(self, do: Callable[[], None]) -> None:
        pass

    def run_javascript(self, code: str) -> None:
        self.said.append(code)

    @property
    def age(self) -> float:
        """[s] of the picture, as it was told last."""
        return float(re.findall(r"lifeline\.beat\(([0-9.]+)", " ".join(self.said))[-1])


def picture(at: int) -> Snapshot:
    return Snapshot(at, 1, (), "", (), (), blind=False)


@pytest.fixture
def clock() -> FastClock:
    return FastClock(T0)


@pytest.fixture
def pulse(clock: FastClock) -> Pulse:
    made = Pulse(SimpleNamespace(clock=clock))  # type: ignore[arg-type]
    made.last = picture(T0)
    return made


def joined(pulse: Pulse, name: str, told: Told) -> Browser:
    browser: Any = Browser(name)
    pulse.join(browser, Guest(Headers(), Role.VIEWER, told), picture(T0))
    return browser  # type: ignore[no-any-return]


async def beat(pulse: Pulse, clock: FastClock, times: int = 1) -> None:
    """So many pictures, one after the other."""
    for _ in range(times):
        await clock.until(clock.now() + round(OLDEST * NS))
        pulse.last = picture(clock.now())
        pulse.show(pulse.last)
        for _ in range(5):  # what was begun gets its turn
            await asyncio.sleep(0)
        pulse._beat()


def broken(*_: object) -> None:
    raise RuntimeError("a page with a defect")


async def refused() -> None:
    raise OSError("the database refuses")


def test_a_page_that_cannot_be_drawn_keeps_the_picture_from_nobody(pulse: Pulse, clock: FastClock) -> None:
    seen: list[int] = []
    joined(pulse, "bad", broken)
    good = joined(pulse, "good", lambda now, _: seen.append(now.at))
    asyncio.run(beat(pulse, clock))
    assert seen == [clock.now()]
    assert good.age == 0.0


@pytest.mark.parametrize("told", [broken, lambda *_: refused()])
def test_a_page_that_is_not_drawn_is_never_said_to_be_fresh(pulse: Pulse, clock: FastClock, told: Told) -> None:
    bad = joined(pulse, "bad", told)
    asyncio.run(beat(pulse, clock, 3))
    assert bad.age == 3 * OLDEST


def test_a_page_whose_question_is_not_answered_grows_old(pulse: Pulse, clock: FastClock) -> None:
    asked = [True, False, False]
    slow = joined(pulse, "slow", lambda *_: asyncio.sleep(3600) if asked.pop(0) else None)
    asyncio.run(beat(pulse, clock, 3))
    assert slow.age == 3 * OLDEST


def test_a_browser_that_was_away_is_told_what_rose_meanwhile(pulse: Pulse, clock: FastClock) -> None:
    seen: list[int] = []
    browser = joined(pulse, "wall", lambda now, _: seen.append(now.at))
    browser.has_socket_connection = False
    asyncio.run(beat(pulse, clock))
    assert seen == []
    browser.come[0]()
    assert seen == [clock.now()]
    assert browser.age == 0.0


def test_a_desk_that_does_not_say_whether_it_is_ready_is_not(
    pulse: Pulse, clock: FastClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alerts.console.pulse.SLOW", 0.01)
    written, asked = threading.Event(), list[int]()

    def reasons() -> list[str]:
        asked.append(clock.now())
        assert written.wait(60)
        return []

    pulse.desk.reasons = reasons  # type: ignore[method-assign]

    async def work() -> None:
        for _ in range(3):
            (why,) = await pulse._reasons()
            assert "not said" in why
        assert len(asked) == 1, "the threads of the desk are not used up by asking"
        written.set()
        while await pulse._reasons():
            pass

    asyncio.run(work())
