"""From a change of level in an array to a Change that says all that the desk needs to know."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import Change, Domain, Evidence, Floats, Ints, Level, Place, Rows, Rule, change_id, is_panel
from lifeline.units import UNITS, shown
from pipeline.evidence import KEPT, Recent
from pipeline.groups import Line
from pipeline.panels import Panel
from pipeline.stepping import Steps


def finite(values: list[float]) -> list[float | None]:
    """JSON has no NaN."""
    return [v if np.isfinite(v) else None for v in values]


def likely(line: Line, index: Ints | slice) -> Floats | None:
    """Probability that gas comes from a main, where the detector has an opinion. [m]"""
    asked = getattr(line.rule.detector, "likely", None)
    known = asked(line.standing.memory) if asked else None
    return None if known is None else known[index]


class Before(NamedTuple):
    """A panel's detector before some slots were judged."""

    memory: Any
    x: Floats  # [n, k] as it was judged

    def places(self, rule: Rule, ends: Ints, i: int, j: int) -> list[Place]:
        """Where the cause of member i's score in slot j may lie, as the detector then knew."""
        d = rule.detector
        if not is_panel(d) or not hasattr(d, "locate"):
            return []
        then, _ = d.step(self.memory, self.x[:, : j + 1], ends[: j + 1])
        return list(d.locate(then, i))


class Teller:
    """Knows the catalog and the last readings."""

    def __init__(self, catalog: Catalog, city: str, recent: Recent) -> None:
        self._catalog, self._city, self._recent = catalog, city, recent

    def series(
        self, rule: Rule, rows: Rows, t: Ints, steps: Steps, x: Floats | None = None, leak: Floats | None = None
    ) -> list[Change]:
        """Changes of single series: steps.which are positions in `rows`.

        t [m, k], x [m, k] readings not yet among the last; leak [m] probability that gas comes from a main, None: not asked.
        """
        told = []
        for c in range(steps.which.size):
            i, j = int(steps.which[c]), int(steps.tick[c])
            row, at = int(rows[i]), int(t[i, j])
            fresh = ([], []) if x is None else (t[i, : j + 1].tolist(), x[i, : j + 1].tolist())
            seen = self._readings(rule, row, fresh)
            if leak is not None:
                seen = msgspec.structs.replace(seen, leak=round(float(leak[i]), 3))
            told.append(self._change(rule, row, at, steps, c, seen))
        return told

    def assets(self, rule: Rule, channels: Sequence[str], rows: Rows, ends: Ints, x: Floats, steps: Steps) -> list[Change]:
        """Changes of whole assets: steps.which are positions in `rows`, their first channels; ends [k], x [a, c, k]."""
        told = []
        for c in range(steps.which.size):
            a, j = int(steps.which[c]), int(steps.tick[c])
            states = ", ".join(f"{q} {v:g}" for q, v in zip(channels, x[a, :, j].tolist(), strict=True))
            row = int(rows[a])
            seen = Evidence([int(ends[j])], [float(steps.score[a, j])], "1", dict(rule.bounds), rule.unit, states)
            told.append(self._change(rule, row, int(ends[j]), steps, c, seen))
        return told

    def panel(self, rule: Rule, panel: Panel, ends: Ints, x: Floats, steps: Steps, before: "Before") -> list[Change]:
        """Changes of members of a panel: steps.which are its members; ends [k], x [n, k] [SI]."""
        t, seen = np.r_[panel.t, ends], np.hstack([panel.x, x.astype(np.float32)]).astype(np.float64)
        told = []
        for c in range(steps.which.size):
            i, j = int(steps.which[c]), int(steps.tick[c])
            upto = slice(j + 1, j + 1 + KEPT)  # the slots kept come first
            at, shows = t[upto], seen[i, upto]
            known = at > 0
            row = int(panel.rows[i])
            unit = shown(self._catalog.quantity[row], self._catalog.unit[row])
            value = finite([UNITS[unit].from_si(v) for v in shows[known].tolist()])
            rises = steps.new[c] > steps.old[c]
            places = before.places(rule, ends, i, j) if rises else []
            evidence = Evidence(at[known].tolist(), value, unit, dict(rule.bounds), rule.unit, places=places)
            told.append(self._change(rule, row, int(ends[j]), steps, c, evidence))
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
