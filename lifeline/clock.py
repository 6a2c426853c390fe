"""The only place that asks for the time. Wall time for service, fast time for replay and tests."""

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import Protocol

from lifeline.kinds import duration
from lifeline.model import NS


def now() -> int:
    """Wall time. [ns] UTC"""
    return time.time_ns()


class Clock(Protocol):
    def now(self) -> int:
        """[ns] UTC"""

    async def until(self, t: int) -> None:
        """Return when it is t [ns]; at once if it is later."""


class WallClock:
    """Sleeps; `speed` times as fast as the wall, from the instant it was made."""

    def __init__(self, speed: float = 1.0) -> None:
        self._start, self._speed = now(), speed

    def now(self) -> int:
        return self._start + round((now() - self._start) * self._speed)

    async def until(self, t: int) -> None:
        wait = (t - self.now()) / NS / self._speed
        if wait > 0:
            await asyncio.sleep(wait)


class FastClock:
    """Jumps instead of sleeping."""

    def __init__(self, start: int = 0) -> None:
        self._now = start

    def now(self) -> int:
        return self._now

    async def until(self, t: int) -> None:
        self._now = max(self._now, t)
        await asyncio.sleep(0)  # others get their turn, as they would while a wall clock sleeps


class Pace:
    """Lets a stream pass no faster than `speed` times its own time, counted from its first instant; inf: at once."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._begun: tuple[int, int] | None = None  # [ns] the first instant, and when it passed

    def wait(self, t: int, stop: threading.Event) -> bool:
        """Return when t [ns] is due: true, or false as soon as it is to stop."""
        at = time.monotonic_ns()
        self._begun = self._begun or (t, at)
        left = ((t - self._begun[0]) / self._speed - (at - self._begun[1])) / NS
        return not (stop.wait(left) if left > 0 else stop.is_set())


def iso(t: int) -> str:
    """RFC 3339 in UTC with milliseconds. t [ns]"""
    return datetime.fromtimestamp(t // 1_000_000 / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> int:
    """[ns] from RFC 3339 text; a time without an offset is refused, for nobody knows where it was written."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; write {text}Z or {text}+08:00")
    return round(at.timestamp() * 1e6) * 1000


def since(text: str) -> int:
    """[ns] from "now", "-1h" (so long ago) or RFC 3339 text."""
    if text == "now":
        return now()
    if text.startswith("-"):
        return now() - round(duration(text[1:]) * NS)
    return parse(text)
