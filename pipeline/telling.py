"""From a change of level in an array to a Change that says all that the desk needs to know."""

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import Change, Domain, Evidence, Floats, Ints, Level, Rows, Rule, change_id
from lifeline.units import UNITS, shown
from pipeline.evidence import KEPT, Recent
from pipeline.groups import Joint
from pipeline.stepping import Steps


def finite(values: list[float]) -> list[float | None]:
    """JSON has no NaN."""
    return [v if np.isfinite(v) else None for v in values]


class Teller:
    """Knows the catalog and the last readings."""

    def __init__(self, catalog: Catalog, city: str, recent: Recent) -> None:
        self._catalog, self._city, self._recent = catalog, city, recent

    def series(self, rule: Rule, rows: Rows, t: Ints, steps: Steps, x: Floats | None = None) -> list[Change]:
        """Changes of single series: steps.which are positions in `rows`; t [m, k], x [m, k] readings not yet among the last."""
        told = []
        for c in range(steps.which.size):
            i, j = int(steps.which[c]), int(steps.tick[c])
            row, at = int(rows[i]), int(t[i, j])
            fresh = ([], []) if x is None else (t[i, : j + 1].tolist(), x[i, : j + 1].tolist())
            told.append(self._change(rule, row, at, steps, c, self._readings(rule, row, fresh)))
        return told

    def assets(self, rule: Rule, joint: Joint, ends: Ints, x: Floats, steps: Steps) -> list[Change]:
        """Changes of whole assets: steps.which are assets of the grid; ends [k], x [a, c, k]."""
        told = []
        for c in range(steps.which.size):
            a, j = int(steps.which[c]), int(steps.tick[c])
            states = ", ".join(f"{q} {v:g}" for q, v in zip(joint.grid.channels, x[a, :, j].tolist(), strict=True))
            row = int(joint.grid.rows[a, 0])
            seen = Evidence([int(ends[j])], [float(steps.score[a, j])], "1", dict(rule.bounds), rule.unit, states)
            told.append(self._change(rule, row, int(ends[j]), steps, c, seen))
        return told

    def _readings(self, rule: Rule, row: int, fresh: tuple[list[int], list[float]]) -> Evidence:
        """The last readings, and after them those that are being judged."""
        unit = shown(self._catalog.quantity[row], self._catalog.unit[row])
        t, x = self._recent.of(row)
        scale = UNITS[unit]
        shown_ = finite([scale.from_si(v) for v in (x + fresh[1])[-KEPT:]])
        return Evidence((t + fresh[0])[-KEPT:], shown_, unit, dict(rule.bounds), rule.unit)

    def _change(self, rule: Rule, row: int, at: int, steps: Steps, c: int, evidence: Evidence) -> Change:
        cat, new = self._catalog, Level(int(steps.new[c]))
        score = float(steps.score[steps.which[c], steps.tick[c]])
        key, domain = cat.key[row], Domain(cat.domain[row])
        return Change(
            id=change_id(rule.id, key, at, new), t=at, city=self._city, district=cat.district[row], domain=domain,
            asset=cat.asset[row], device=cat.device[row], key=key, quantity=cat.quantity[row], rule=rule.id, hazard=rule.hazard,
            kind=rule.kind, mode=rule.mode, hard=rule.hard is not None and new >= rule.hard, old=Level(int(steps.old[c])).name,
            new=new.name, score=score if np.isfinite(score) else None, lat=float(cat.lat[row]), lon=float(cat.lon[row]),
            owner=cat.owner[row], evidence=evidence,
        )  # fmt: skip
