"""Many readings judged in one step give the very changes of one step for each instant, gaps and silence included."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import detectors
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Change, Domain, Quality
from pipeline import backtest, feed, stranger
from pipeline.feed import Feed, feeds
from pipeline.replay import Replay
from pipeline.tables import Table
from simulators.world import Turn
from tests.panel import Apart, Gap, rule

START = 1_784_073_600 * NS
ALIKE = replace(rule(Apart(least=1), "*", Domain.OTHER, 0.5, 5.0, name="alike"), domain=None)
RULES = [*detectors.rules(), ALIKE, replace(rule(Gap(), "*", Domain.OTHER, 2.5, 60.0, name="gap"), domain=None)]
PLANT = """\
key,quantity,unit
line/p,gas_pressure,kPa
well/ch4,methane,%LEL
pump/x,vibration_of_a_pump,mm/s
deck/a1,acceleration,g
car/door,door,state
"""


def told(given: list[Feed]) -> Iterator[Turn]:
    """Each instant a turn, as live."""
    at = np.unique(np.concatenate([f.t for f in given]))
    for t in at.tolist():
        parts = []
        for f in given:
            j = int(np.searchsorted(f.t, t))
            if j < f.t.size and f.t[j] == t:
                x = f.value[:, j]
                row = f.row[np.isfinite(x)]
                n = row.size
                parts.append(Batch(row, np.full(n, t), x[np.isfinite(x)], np.full(n, Quality.GOOD, np.uint8)))
        batch = Batch.joined(parts)
        if batch.n:
            yield Turn(t, batch, [])


def one_by_one(given: list[Feed], catalog: Catalog, until: int | None) -> list[bytes]:
    replay, out, taught = Replay(catalog, RULES, "backtest", backtest.ANY), list[Change](), until is None
    for turn in told(given):
        if not taught and until is not None and turn.at >= until:
            taught = True
            replay.engine.calm()
        changes = replay.step(turn)
        out += changes if taught else []
    return bits(out)


def bits(changes: list[Change]) -> list[bytes]:
    """All that a change says but its evidence: where readings are missing, that of a backtest holds a gap."""
    return sorted(msgspec.json.encode(msgspec.structs.replace(c, evidence={})) for c in changes)


def series(rng: np.random.Generator, key: str, step: float) -> Table:
    """Some hundred readings with noise, gaps, a jump, a stuck stretch, and clocks that tremble."""
    k = int(rng.integers(1, 350))
    t = START + (np.cumsum(rng.choice([1, 2, 5, 70], k, p=[0.97, 0.015, 0.01, 0.005])) * step * NS).astype(np.int64)
    t += int(rng.integers(0, 2)) * rng.integers(0, max(int(step * NS / 10), 1), k)
    x = rng.normal(10.0, 0.2, k)
    x[k // 2 :] += rng.choice([0.0, 3.0, 60.0])
    x[rng.random(k) < 0.02] = np.nan
    x[k // 3 : k // 3 + int(rng.integers(0, 80))] = 10.0
    return Table([key], t, x[None, :])


def plant(path: Path, seed: int) -> tuple[list[Feed], Catalog]:
    rng = np.random.default_rng(seed)
    (path / "plant.csv").write_text(PLANT, encoding="utf-8")
    sheet = stranger.sheet(path / "plant.csv")
    steps = rng.choice([0.02, 0.5, 1.0, 2.0], len(sheet.lines))
    tables = [series(rng, line["key"], s) for line, s in zip(sheet.lines, steps.tolist(), strict=True)]
    tables = [tables[i] for i in rng.permutation(len(tables))[:3]]
    tables += [Table([], np.empty(0, np.int64), np.empty((0, 0)))]
    catalog = stranger.completed(sheet, stranger.paces(tables, RULES), RULES, path / "catalog.csv")
    return feeds(tables, catalog), catalog


@given(seed=st.integers(0, 10_000), most=st.sampled_from([40, 1000, 10**6]), part=st.sampled_from([None, 0.0, 0.3, 0.9]))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_changes_are_those_of_one_instant_after_another(
    seed: int, most: int, part: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "MOST", most)
    fed, catalog = plant(tmp_path, seed)
    end = max(int(f.t[-1]) for f in fed)
    until = None if part is None else START + int(part * (end - START))
    made = backtest.judged(fed, catalog, RULES, until=until)
    assert bits(made.changes) == one_by_one(fed, catalog, until)
