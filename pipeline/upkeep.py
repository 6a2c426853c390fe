"""Keeps order beside the checkpoints: small files are merged; hours and dead letters past their retention go."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from lifeline.clock import now
from lifeline.config import Lake as Settings
from lifeline.model import NS
from store.files import HOUR
from store.lake import Lake

log = logging.getLogger("lifeline.upkeep")

SETTLED: Final = 7200.0  # [s] after the end of an hour its files are merged for good; late readings may still come


class Upkeep:
    """A thread. What it cannot do now it does the next time; nothing depends on it but what the disk holds."""

    def __init__(
        self, lake: Lake, settings: Settings, committed: Callable[[], int], forget: Callable[[int], None] = lambda _: None
    ) -> None:
        self._lake, self._settings, self._committed, self._forget = lake, settings, committed, forget
        self._forgotten = 0  # [ns] when old dead letters were last forgotten
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, patience: float = 5.0) -> None:
        """Killed in the middle of a merge it would leave nothing wrong; so it is not waited for long."""
        self._stop.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._stop.wait(self._settings.compact):
            self.turn(now())

    def turn(self, t: int) -> None:
        """Let go of what is too old at t [ns], which makes room; then merge what is committed. None costs the others."""
        for act in (self._expire, self._bury, self._merge):
            try:
                act(t)
            except Exception:  # nothing may end this thread
                log.exception("upkeep failed; again later")

    def _expire(self, t: int) -> None:
        self._lake.expire(t - round(self._settings.retention * NS))

    def _bury(self, t: int) -> None:
        if t - self._forgotten >= HOUR:
            self._forget(t)
            self._forgotten = t

    def _merge(self, t: int) -> None:
        self._lake.compact(self._committed(), closed=t - round(SETTLED * NS))
