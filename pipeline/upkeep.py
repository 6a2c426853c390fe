"""Keeps the lake in order beside the checkpoints: small files are merged, hours past their retention go."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from lifeline.clock import now
from lifeline.config import Lake as Settings
from lifeline.model import NS
from store.lake import Lake

log = logging.getLogger("lifeline.upkeep")

SETTLED: Final = 7200.0  # [s] after the end of an hour its files are merged for good; late readings may still come


class Upkeep:
    """A thread. What it cannot do now it does the next time; nothing depends on it but the number of files."""

    def __init__(self, lake: Lake, settings: Settings, committed: Callable[[], int]) -> None:
        self._lake, self._settings, self._committed = lake, settings, committed
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
            try:
                self.turn(now())
            except Exception:  # nothing may end this thread
                log.exception("the lake's upkeep failed; again later")

    def turn(self, t: int) -> None:
        """Let go of what is too old at t [ns], which makes room; then merge what is committed."""
        self._lake.expire(t - round(self._settings.retention * NS))
        self._lake.compact(self._committed(), closed=t - round(SETTLED * NS))
