"""The simulated city under the shipped rules, without the pipeline around them: what was meant to happen, and nothing else."""

from collections.abc import Iterator

import numpy as np
import pytest

import detectors
from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Block, Floats, Kind, Level, Mode, Rule
from pipeline.stepping import advance, fitted, standing
from simulators.stage import Stage
from tests.city import START, demo, quiet

CATALOG = quiet().catalog
SECONDS = 90
Case = tuple[str, str]  # asset, hazard


def told(on: Stage) -> dict[int, tuple[np.ndarray, Floats]]:
    """Instants and values of each row."""
    parts = on.world.emit(START, START + SECONDS * NS)
    b = Batch.joined([p.flat() if isinstance(p, Block) else p for p in parts])
    b = b.take(np.lexsort((b.t, b.row)))
    edge = np.searchsorted(b.row, np.arange(CATALOG.n + 1))
    return {i: (b.t[edge[i] : edge[i + 1]], b.value[edge[i] : edge[i + 1]]) for i in range(CATALOG.n)}


def judged(rule: Rule, c: Catalog) -> Iterator[tuple[float, list[int]]]:
    """The series of a rule by their step; of a joint one, the assets by their first channel."""
    rated = np.isfinite(c.rated) | (not rule.relative) | bool(rule.detector.channels)
    mine = (c.quantity == rule.quantity) & (c.domain == rule.domain) & rated & (np.isnan(c.hold) | rule.held)
    for step in np.unique(c.step[mine]).tolist():
        yield (1.0 if rule.detector.channels else step), np.flatnonzero(mine & (c.step == step)).tolist()


def matrix(rule: Rule, rows: list[int], seen: dict[int, tuple[np.ndarray, Floats]]) -> Floats:
    """x as the rule's detector takes it."""
    share = np.where(np.isfinite(CATALOG.rated), CATALOG.rated, 1.0) if rule.relative else np.ones(CATALOG.n)
    if not rule.detector.channels:
        x = np.full((len(rows), max(seen[i][1].size for i in rows)), np.nan)
        for a, i in enumerate(rows):
            x[a, : seen[i][1].size] = seen[i][1] / share[i]
        return x
    grid = START + NS * np.arange(1, SECONDS + 1)
    x = np.full((len(rows), len(rule.detector.channels), SECONDS), np.nan)
    for a, b in np.ndindex(x.shape[:2]):
        i = CATALOG.row[f"{CATALOG.device[rows[a]]}/{rule.detector.channels[b]}"]
        at = np.searchsorted(seen[i][0], grid, side="right") - 1
        x[a, b] = np.where(at >= 0, seen[i][1][at], np.nan) / share[i]
    return x


def reached(on: Stage) -> dict[Case, Level]:
    """The highest level that any series of an asset came to, before the desk judges it."""
    seen, out = told(on), dict[Case, Level]()
    for rule in detectors.rules():
        if rule.kind is not Kind.HAZARD or rule.mode is not Mode.ACTIVE or rule.detector.judges != "value":
            continue
        for step, rows in judged(rule, CATALOG):
            fit = fitted(rule, step)
            steps = advance(fit, standing(fit, len(rows)), slice(None), matrix(rule, rows, seen))
            for i, new in zip(steps.which.tolist(), steps.new.tolist(), strict=True):
                case = str(CATALOG.asset[rows[i]]), rule.hazard
                out[case] = max(out.get(case, Level.NORMAL), Level(new))
    return out


@pytest.fixture(scope="module")
def played() -> dict[Case, Level]:
    return reached(demo())


def test_a_healthy_city_is_quiet() -> None:
    assert reached(quiet()) == {}


def test_what_the_demo_does_to_the_city_is_seen(played: dict[Case, Level]) -> None:
    for t in demo().truth:
        if t.hazard and (t.min_level >= Level.ORANGE or t.hazard == "stop_outside_zone"):
            assert played.get((t.asset, t.hazard), Level.NORMAL) >= min(t.min_level, Level.ORANGE), t


def test_and_nothing_else(played: dict[Case, Level]) -> None:
    true = {(t.asset, t.hazard): t for t in demo().truth}
    for case, level in played.items():
        assert level <= true[case].max_level


def test_a_struck_pier_is_felt_by_each_of_its_sensors(played: dict[Case, Level]) -> None:
    assert played["bridge-haikou-001", "bridge_impact"] == Level.ORANGE  # the desk makes RED of two that agree
