"""The canary as watch judges it: with an engine of its own, beside the city's."""

from typing import Final

import numpy as np

from detectors.limit import Limit
from ingest.admit import Terms
from ingest.decode import decode
from ingest.ledger import DeadLetter
from ingest.quality import gate
from lifeline import canary
from lifeline.model import Change, Kind, Level, Limits, Mode, Rule
from pipeline.engine import Engine, Part

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
