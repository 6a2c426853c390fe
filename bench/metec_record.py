"""The METEC week for the benchmark: where it lies, what was warned of beside what was released, and a picture of both.

The record is read where it lies: in the folder that CITY_DATA names, else in `shared/data` beside the repository.
"""

import os
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from detectors.plume import Plume
from lifeline.clock import iso
from lifeline.model import NS, Floats
from pipeline.public.metec import Record, default, figures
from pipeline.public.place import scorers

VARIABLE: Final = "CITY_DATA"
BESIDE: Final = Path(__file__).parents[2] / "shared" / "data"
MISSING: Final = "no METEC record at {}: get " + default.obtain + "; name the folder above METEC_week in " + VARIABLE


class Event(NamedTuple):
    """One warning as the phone was told of it."""

    warning: str
    onset: int  # [ns]
    end: int  # [ns]; the end of the record where it still stands
    peak: str  # Level name


def folder() -> Path:
    return Path(os.environ.get(VARIABLE, str(BESIDE))) / "METEC_week"


def scored(at: Path, r: Record, found: list[Event], since: int) -> dict[str, Any] | None:
    """The published metrics of the part of the record from `since` [ns] on; None where the scorer is not there."""
    judges = scorers(at.parent)
    if lacking := judges.lacking(["metec"]):
        sys.stderr.write(f"not scored: {lacking}\n")
        return None
    spans = [(e.onset, e.end) for e in found]
    return None if r.t[-1] < since else figures(judges["metec"], at, r.t, spans, since)


def picture(r: Record, found: list[Event], to: Path) -> None:
    """A strip for each day: the largest reading above background, the releases under it, the warnings over it."""
    import matplotlib as mpl
    from PIL import Image

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    day = 86400 * NS
    first = int(r.t[0]) // day
    figure, strips = plt.subplots(int(r.t[-1]) // day - first + 1, figsize=(11, 10), squeeze=False, layout="constrained")
    for i, strip in enumerate(strips[:, 0]):
        begin = (first + i) * day
        strip.semilogy((r.t - begin) / (3600 * NS), above(r), lw=0.6, color="#444444")
        for a, b in r.releases:
            strip.axvspan((a - begin) / (3600 * NS), (b - begin) / (3600 * NS), color="#9fc5a8", lw=0)
        for e in found:
            colour = {"BLUE": "#3b7dd8", "YELLOW": "#e8b800", "ORANGE": "#ef7d1a"}[e.peak]
            strip.plot([(e.onset - begin) / (3600 * NS), (e.end - begin) / (3600 * NS)], [200, 200], lw=5, color=colour)
        strip.axhline(0.5, lw=0.5, ls=":", color="#3b7dd8")
        strip.set(xlim=(0, 24), ylim=(0.1, 400), xticks=range(0, 25, 3), ylabel=iso(begin)[5:10])
    figure.suptitle("METEC, May 2022: largest of 8 sensors, ppm above background; green: gas released; bars: warnings")
    strips[-1, 0].set_xlabel("hour (UTC)")
    figure.savefig(to, dpi=75)
    plt.close(figure)
    with Image.open(to) as drawn:
        drawn.convert("RGB").quantize(128).save(to, optimize=True)


def above(r: Record) -> Floats:
    """Largest excess of each minute over the background that the rule takes; NaN where no sensor could be judged. [k] [ppm]"""
    d = Plume()
    before = np.full((len(r.name), d.warmup), np.nan)
    excess = 1e6 * d.excess(1e-6 * np.hstack([before, r.value]))
    largest: Floats = np.fmax.reduce(excess, axis=0)
    return largest
