"""The canary on its way: sent to the broker by the desk's process, judged by watch with an engine of its own."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from detectors.limit import Limit
from ingest.admit import Terms
from ingest.decode import decode
from ingest.ledger import DeadLetter
from ingest.mqtt import Publisher
from ingest.quality import gate
from lifeline import canary
from lifeline.clock import now
from lifeline.config import Broker, Config
from lifeline.model import Change, Kind, Level, Limits, Mode, Rule
from pipeline.engine import Engine, Part

log = logging.getLogger("lifeline.canary")

AGAIN: Final = 5.0  # [s] before connecting again, at first
LONGEST: Final = 60.0  # [s]

BOUND: Final = Limits(
    enter=np.array([0.5, np.inf, np.inf, np.inf]), leave=np.array([0.5, np.inf, np.inf, np.inf]), hold=np.ones(4, np.int64)
)
ORIGIN: Final = "design: the reading is ours, 0 or 1"


def rule() -> Rule:
    """The one that judges it: BLUE while it says 1."""
    return Rule(
        id=canary.RULE, domain=None, quantity=canary.QUANTITY, hazard=canary.NAME, kind=Kind.TICKET, mode=Mode.ACTIVE,
        detector=Limit(), raw=True, relative=False, held=False, limits=BOUND, hard=None, bounds={Level.BLUE.name: 0.5},
        unit="state", source=ORIGIN, confidence="D",
    )  # fmt: skip


class Judge:
    """What watch makes of canary messages: by the same decoder, engine and grading as readings, beside the city's own.

    It needs no snapshot: a message leaves it as it found it, at NORMAL.
    """

    def __init__(self, city: str, lat: float, lon: float) -> None:
        self._city, self._catalog = city, canary.catalog(lat, lon)
        self._engine = Engine(self._catalog, [rule()], gate(self._catalog, {}), city)

    def judge(self, number: int, topic: str, payload: bytes, at: int, terms: Terms) -> tuple[list[Change], list[DeadLetter]]:
        """One message, received at `at` [ns] -> the changes of level; what cannot be used of it."""
        said = decode([(topic, payload)], at, self._catalog, terms, self._city)
        dead = [DeadLetter(number, at, r.items, r.reason, r.places, topic.encode(), payload) for r in said.refused]
        parts = [Part(said.batch, number + said.message, at)] if said.batch.n else []
        return self._engine.step(parts, [], self._engine.clock).changes, dead


def account(config: Config) -> Broker:
    """The broker as the canary speaks to it."""
    own = config.canary
    if not own.username and not own.cert_file:
        return config.broker
    files = (own.cert_file, own.key_file)
    return replace(config.broker, username=own.username, password=own.password, cert_file=files[0], key_file=files[1])


class Song(threading.Thread):
    """Publishes as a device would, now and then, for good."""

    def __init__(self, config: Config, name: str, sent: Callable[[int], None]) -> None:
        """name: of this sender among several; sent: is told when one went out [ns]"""
        super().__init__(name="canary", daemon=True)
        self._broker, self._id = account(config), f"{config.broker.client_id}-canary-{name}"
        self._topic, self._every = canary.topic(config.city.name), config.canary.every
        self._sent, self._stop_ = sent, threading.Event()

    def run(self) -> None:
        wait = AGAIN
        while not self._stop_.is_set():
            try:
                with Publisher(self._broker, self._id, window=1) as broker:
                    wait = AGAIN
                    self._sing(broker)
            except (OSError, ValueError) as why:
                log.warning("the canary finds no broker", extra={"why": f"{type(why).__name__}: {why}", "again_s": wait})
                self._stop_.wait(wait)
                wait = min(2 * wait, LONGEST)

    def _sing(self, broker: Publisher) -> None:
        while not self._stop_.is_set():
            t = now()
            broker.publish(self._topic, canary.payload(t))
            broker.drain(30.0)
            self._sent(t)
            self._stop_.wait(self._every)

    def stop(self) -> None:
        """Publish no more; does not wait."""
        self._stop_.set()
