"""An explanation as a drawing: readings with their limits, scores by rule, the level of the warning then and now."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from lifeline.model import JUDGED, NS, Evidence, Floats, Ints, Level
from lifeline.units import UNITS, shown
from pipeline.explain_text import ZONE
from pipeline.explained import Explanation, leads
from pipeline.plots import limits_on

SERIES: Final = 3  # drawn
RULES: Final = 6  # whose scores are drawn
COLOURS: Final = {"NORMAL": "#dde5dd", "BLUE": "#3b7dd8", "YELLOW": "#e8b800", "ORANGE": "#ef7d1a", "RED": "#d62828"}
FONTS: Final = ("DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Microsoft YaHei", "PingFang SC", "WenQuanYi Zen Hei")


def draw(e: Explanation, to: Path) -> None:
    """Into a PNG file."""
    import matplotlib as mpl
    from matplotlib import font_manager
    from matplotlib.figure import Figure

    shown_series = leads(e, SERIES)
    known = set(font_manager.get_font_names())
    with mpl.rc_context({"font.family": [f for f in FONTS if f in known] or ["sans-serif"], "font.size": 9.0}):
        figure = Figure(figsize=(10, 2.1 * len(shown_series) + 4.2), layout="constrained")
        heights = [*[2.0] * len(shown_series), 2.4, 0.7]
        axes = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0])
        for ax, key in zip(axes, shown_series, strict=False):
            _readings(ax, e, key)
        _scores(axes[-2], e)
        _levels(axes[-1], e)
        _time(axes, e)
        figure.suptitle(f"{e.past.case.en}\n{e.past.case.id}", fontsize=10)
        figure.savefig(to, dpi=110)


def _when(t: Ints | Sequence[int]) -> Any:
    """For the axis of time. t [n] [ns]"""
    return np.asarray(t, np.int64).astype("datetime64[ns]")


def _readings(ax: Any, e: Explanation, key: str) -> None:
    """Those that are stored, else those that the warning carries; what was not fit to be judged is crossed out."""
    c = leads(e, SERIES)[key]
    if e.made is None or key not in e.made.heard:
        _carried(ax, c.evidence)
        ax.set_title(f"{key} ({c.quantity}): as the warning carries them", loc="left", fontsize=9)
        return
    b, catalog = e.made.heard[key], e.made.catalog
    row = catalog.row[key]
    unit = shown(catalog.quantity[row], catalog.unit[row])
    x = _from_si(b.value, unit)
    fit = np.isin(b.quality, [int(q) for q in JUDGED])
    style = {"drawstyle": "steps-post"} if np.isfinite(catalog.hold[row]) else {"marker": ".", "ms": 3}
    ax.plot(_when(b.t[fit]), x[fit], lw=0.9, color="#333333", **style)
    ax.plot(_when(b.t[~fit]), x[~fit], "x", ms=4, color="#999999")
    _limits(ax, [(name, UNITS[unit].from_si(v)) for name, v in limits_on(e.rules, catalog, row)], x)
    ax.set_title(f"{key} ({catalog.quantity[row]})", loc="left", fontsize=9)
    ax.set_ylabel(unit)


def _from_si(x: Floats, unit: str) -> Floats:
    return np.array([UNITS[unit].from_si(v) for v in x.tolist()])


def _carried(ax: Any, said: Evidence) -> None:
    ax.plot(_when(said.t), [np.nan if v is None else v for v in said.value], lw=0.9, marker=".", ms=3, color="#333333")
    ax.set_ylabel(said.unit)
    if said.unit == said.bounds_unit:
        _limits(ax, said.bounds.items(), np.array([v for v in said.value if v is not None]))


def _limits(ax: Any, bounds: Iterable[tuple[str, float]], x: Floats) -> None:
    """Across the readings; one that is far from all of them is left out."""
    low, high = (float(np.nanmin(x)), float(np.nanmax(x))) if np.isfinite(x).any() else (0.0, 0.0)
    room = 1.5 * (high - low) + 0.25 * max(abs(low), abs(high))
    near = [(name, bound) for name, bound in bounds if low - room <= bound <= high + room]
    span = max([high, *(b for _, b in near)]) - min([low, *(b for _, b in near)])
    taken: list[float] = []
    for name, bound in sorted(near, key=lambda x: -Level[x[0]]):
        ax.axhline(bound, lw=1.0, ls="--", color=COLOURS[name])
        if all(abs(bound - other) > 0.08 * span for other in taken):
            taken.append(bound)
            ax.annotate(f" {name} {bound:.4g}", (1.0, bound), xycoords=("axes fraction", "data"), fontsize=7, va="center")


def _scores(ax: Any, e: Explanation) -> None:
    """Of the rules that came nearest to their limits, those that spoke first among them."""
    ax.axhline(1.0, lw=0.8, ls="--", color="#d62828")
    ax.set_ylabel("score [1]")
    found = [] if e.made is None else list(e.made.scores.items())
    told = {(s.change.rule, s.change.key) for s in e.past.spoken}
    found = [x for x in found if np.isfinite(x[1][1]).any()]
    found.sort(key=lambda x: (x[0] not in told, -float(np.nanmax(x[1][1]))))
    for i, ((rule, key), (t, score)) in enumerate(found[:RULES]):
        ax.plot(
            _when(t), score, lw=1.1 if (rule, key) in told else 0.7, marker=".", ms=2, color=f"C{i}", label=f"{rule}  {key}"
        )
    if found:
        if max(float(np.nanmax(s)) for _, (_, s) in found[:RULES]) > 10:
            ax.set_yscale("symlog", linthresh=1.0)
        ax.legend(fontsize=7, loc="upper left", framealpha=0.8)


def _levels(ax: Any, e: Explanation) -> None:
    """Two strips: what the desk told, and what the readings give now."""
    then = [(s.t, s.level) for s in e.past.steps]
    now = [(s.t, s.level) for s in e.compared.steps]
    begin, end = _span(e)
    for y, steps in ((1, then), (0, now)):
        for (t, level), (until, _) in pairwise([*steps, (max(end, steps[-1][0] if steps else 0), Level.NORMAL)]):
            if level > Level.NORMAL:
                a, b = _when([t, until])
                ax.fill_betweenx([y - 0.38, y + 0.38], a, b, color=COLOURS[level.name], lw=0)
                if until - t > (end - begin) / 16:
                    ax.annotate(level.name, (a, y), xytext=(3, 0), textcoords="offset points", fontsize=7, va="center")
    again = "told again" if e.made is not None and e.made.heard else "told again:\nno readings"
    ax.set_yticks([1, 0], ["then", again])
    ax.set_ylim(-0.6, 1.6)


def _span(e: Explanation) -> tuple[int, int]:
    """What is drawn: a little more than there are readings and levels. [ns]"""
    case, made = e.past.case, e.made
    stored = [] if made is None else [b.t for b in made.heard.values()]
    t = stored or [np.array([x for s in e.past.spoken for x in s.change.evidence.t], np.int64)]
    every = np.concatenate([*t, [case.onset, case.t]])
    begin, end = int(every[every > 0].min()), int(every.max())
    room = max(NS, (end - begin) // 30)
    return begin - room, end + room


def _time(axes: Sequence[Any], e: Explanation) -> None:
    from matplotlib import dates

    begin, end = _span(e)
    for ax in axes:
        ax.grid(lw=0.3)
        ax.axvline(_when([e.past.case.onset])[0], lw=0.8, color="#888888")
    of: Any = dates  # its classes are not typed
    locator = of.AutoDateLocator(tz=ZONE)
    axes[-1].set_xlim(*_when([begin, end]))
    axes[-1].xaxis.set_major_locator(locator)
    axes[-1].xaxis.set_major_formatter(of.ConciseDateFormatter(locator, tz=ZONE))
    axes[-1].set_xlabel(ZONE.key)
