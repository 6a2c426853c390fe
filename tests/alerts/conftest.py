"""A city of a few assets, for the tests of the desk."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerts.book import Book
from alerts.notice import Notice, Outcome, Sent
from alerts.route import Route
from alerts.tables import Database
from lifeline.catalog import Catalog
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id
from tests.postgres import Postgres

T0 = 1_767_000_000 * NS  # [ns] the tests' beginning of time
Say = Callable[..., Change]


def change(new: Level, at: float = 0.0, device: str = "d1", asset: str = "W-1", **more: Any) -> Change:
    """One change of level: of a device at an asset, `at` seconds after the beginning."""
    t, key, rule = T0 + round(at * NS), f"{device}/ch4", more.pop("rule", "gas.methane.limit")
    seen = Evidence([t - NS, t], [0.4, 2.6], "%VOL", {"YELLOW": 1.0, "ORANGE": 2.5, "RED": 5.0}, "%VOL")
    facts = {
        "id": change_id(rule, key, t, new), "t": t, "city": "chengjiang", "district": "Fenglu", "domain": Domain.GAS,
        "asset": asset, "device": device, "key": key, "quantity": "methane", "rule": rule, "hazard": "gas_accumulation",
        "kind": Kind.HAZARD, "mode": Mode.ACTIVE, "hard": new >= Level.ORANGE, "old": "NORMAL", "new": new.name,
        "score": 1.3, "lat": 24.67, "lon": 102.91, "owner": "gas company", "evidence": seen,
    }  # fmt: skip
    return Change(**(facts | more))


@pytest.fixture
def say() -> Say:
    """One change of level."""
    return change


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests of the desk."""
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Empty, once in each of the databases that a desk may have."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    made = Database(server.url() if server else f"sqlite:///{tmp_path / 'desk.db'}")
    yield made
    made.close()


@pytest.fixture
def book(database: Database) -> Book:
    """Tells `phone` of everything and `duty` of hazards from ORANGE on."""
    return Book(database, [Route("phone"), Route("duty", Level.ORANGE, frozenset({Kind.HAZARD}))])


@pytest.fixture
def catalog() -> Catalog:
    """Two wells in one district, one in another; the first has two devices."""
    rows = [("d1", "W-1", "Fenglu"), ("d2", "W-1", "Fenglu"), ("d3", "W-2", "Fenglu"), ("d4", "W-3", "Longjie")]
    texts = {name: np.array([r[i] for r in rows], object) for i, name in enumerate(("device", "asset", "district"))}
    same = {"domain": Domain.GAS, "quantity": "methane", "unit": "%VOL", "owner": "gas company"}
    numbers = {
        "step": 60.0,
        "low": 0.0,
        "high": 0.2,
        "hold": np.nan,
        "rated": np.nan,
        "report": np.nan,
        "scale": 0.01,
        "offset": 0.0,
    }
    return Catalog(
        key=np.array([f"{r[0]}/ch4" for r in rows], object),
        lat=np.full(4, 24.67),
        lon=np.full(4, 102.91),
        **texts,
        **{k: np.array([v] * 4, object) for k, v in same.items()},
        **{k: np.full(4, v) for k, v in numbers.items()},
    )


class Ear:
    """A channel that keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[Notice] = []

    async def send(self, notice: Notice) -> Outcome:
        self.heard.append(notice)
        return Sent("heard")

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def ear() -> Ear:
    return Ear()
