"""The desk of the tests of alerts, with a routing file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alerts.routing.plan import Plan, read
from alerts.tables import Database
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

T0 = 1_767_000_000 * NS  # [ns] 2025-12-29T17:20:00+08:00, a Monday
Say = Callable[..., Change]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'desk.db'}")
    yield made
    made.close()


@pytest.fixture
def say() -> Say:
    """One change of level: of a device at an asset, `at` seconds after the beginning."""

    def change(new: Level, at: float = 0.0, device: str = "d1", asset: str = "W-1", **more: Any) -> Change:
        t, key, rule = T0 + round(at * NS), f"{device}/ch4", more.pop("rule", "gas.methane.limit")
        seen = Evidence([t - NS, t], [0.4, 2.6], "%VOL", {"YELLOW": 1.0, "ORANGE": 2.5, "RED": 5.0}, "%VOL")
        facts = {
            "id": change_id(rule, key, t, new), "t": t, "city": "chengjiang", "district": "Fenglu", "domain": Domain.GAS,
            "asset": asset, "device": device, "key": key, "quantity": "methane", "rule": rule, "hazard": "gas_accumulation",
            "kind": Kind.HAZARD, "mode": Mode.ACTIVE, "hard": new >= Level.ORANGE, "old": "NORMAL", "new": new.name,
            "score": 1.3, "lat": 24.67, "lon": 102.91, "owner": "gas company", "evidence": seen,
        }  # fmt: skip
        return Change(**(facts | more))

    return change


@pytest.fixture
def planned(tmp_path: Path) -> Callable[[str], Plan]:
    """A plan out of the text of a routing file."""
    return lambda text: read(tmp_path / "alertmanager.yml", text)
