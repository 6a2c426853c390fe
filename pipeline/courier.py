"""Carries changes of level from watch to the desk, in order, until the desk has them on its disk."""

import logging
import threading
import time
from collections import deque
from typing import Any, Final

import httpx
import msgspec

from lifeline.model import Change

log = logging.getLogger("lifeline.courier")

MOST: Final = 200  # changes in one request
BACKOFF: Final = (0.1, 5.0)  # [s]
AGAIN: Final = 60.0  # [s] between offers of what was refused


class Courier:
    """A queue and a thread. The desk knows a change by its id, so saying one twice does no harm."""

    def __init__(self, desk: str, token: str) -> None:
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self._desk = desk.rstrip("/")
        self._queue: deque[Change] = deque()
        self._some = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._beat: dict[str, Any] | None = None
        self._refused: deque[Change] = deque()  # changes the desk will not have: kept, and offered again now and then
        self._offer = 0.0  # [s] monotonic, when
        self.sent = 0
        self.why = ""  # of the last failure; empty while it works

    def start(self) -> None:
        self._thread.start()

    def send(self, changes: list[Change]) -> None:
        """Take over changes; returns at once."""
        if changes:
            self._queue.extend(changes)
            self._some.set()

    def beat(self, status: dict[str, Any]) -> None:
        """Say that watch lives; only the newest is worth sending."""
        self._beat = status
        self._some.set()

    def unsent(self) -> list[Change]:
        """What the desk has not confirmed."""
        return [*self._refused.copy(), *self._queue.copy()]  # copied in one piece: the thread goes on meanwhile

    @property
    def refused(self) -> int:
        """Changes the desk will not have: two versions that do not fit, or a bug."""
        return len(self._refused)

    def close(self, patience: float = 2.0) -> None:
        """Give the rest a little time; what stays is in the checkpoint."""
        self._stop.set()
        self._some.set()
        self._thread.join(patience)

    def _run(self) -> None:
        wait = BACKOFF[0]
        with httpx.Client(timeout=10.0, trust_env=False) as http:
            while not (self._stop.is_set() and not self._queue):
                self._some.wait(1.0)
                self._some.clear()
                try:
                    self._carry(http)
                    wait, self.why = BACKOFF[0], ""
                except Exception as why:  # noqa: BLE001  whatever it is, the queue must be carried on
                    self.why = f"{self._desk}: {type(why).__name__}: {why}"
                    if self._stop.wait(wait):
                        return
                    wait = min(2 * wait, BACKOFF[1])
                    self._some.set()

    def _carry(self, http: httpx.Client) -> None:
        if self._refused and time.monotonic() >= self._offer:
            self._offer = time.monotonic() + AGAIN
            self._queue.extendleft(self._refused.popleft() for _ in range(len(self._refused)))
        while self._queue:
            batch = [self._queue[i] for i in range(min(MOST, len(self._queue)))]
            self._post(http, batch)
            for _ in batch:
                self._queue.popleft()
            self.sent += len(batch)
        if (beat := self._beat) is not None:
            self._beat = None
            http.post(f"{self._desk}/heartbeat", content=msgspec.json.encode(beat), headers=self._headers).raise_for_status()

    def _post(self, http: httpx.Client, batch: list[Change]) -> None:
        answer = http.post(f"{self._desk}/changes", content=msgspec.json.encode(batch), headers=self._headers)
        if answer.status_code != httpx.codes.UNPROCESSABLE_ENTITY:
            answer.raise_for_status()
            return
        if len(batch) > 1:  # one of them is bad: find it without losing its neighbours
            for one in batch:
                self._post(http, [one])
            return
        if not self._refused:
            self._offer = time.monotonic() + AGAIN
        self._refused.append(batch[0])
        log.error("the desk refuses a change", extra={"change": msgspec.to_builtins(batch[0]), "answer": answer.text})
