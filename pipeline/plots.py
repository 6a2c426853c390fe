"""A scenario as a drawing (SVG): readings, truth, limits, levels, warnings over one axis of time.

Written out by hand rather than by a plotting library: the colours come from the page, so that they follow its dark and its
light scheme, text stays text, and sixty-four of them are a few megabytes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import Final, NamedTuple

import numpy as np

from detectors.limit import Limit
from detectors.peak import Peak
from lifeline.catalog import Catalog
from lifeline.model import NS, Change, Floats, Kind, Level, Mode, Rule
from lifeline.units import QUANTITIES, UNITS, shown
from pipeline.envelope import SLICES, Envelope
from pipeline.marks import SHAPES
from pipeline.said import Said
from simulators.faults import Truth
from simulators.scenario import Scenario

LANES: Final = 8  # assets and hazards whose warnings are drawn
WIDTH: Final = 880  # [px]
LEFT: Final = 64  # [px] room for the numbers
RIGHT: Final = 48  # [px] room for the limits
HIGH: Final = 96  # [px] of a plot of readings
STRIP: Final = 9  # [px] of a strip of levels
LANE: Final = 25  # [px] of the warnings of one hazard at one asset
HEAD: Final = 18  # [px] of a title


class Stretch(NamedTuple):
    """Of time that a drawing shows."""

    zero: int  # [ns] from which it is counted
    begin: int  # [ns]
    end: int  # [ns]


@dataclass(frozen=True)
class Picture:
    """What is drawn."""

    scenario: Scenario
    over: Stretch
    most: int  # series
    catalog: Catalog
    truth: Sequence[Truth]
    rules: Sequence[Rule]
    changes: Sequence[Change]
    hazards: Sequence[Said]
    tickets: Sequence[Said]
    wrong: Sequence[Said]  # of the hazards
    envelope: Envelope

    def is_false(self, w: Said) -> bool:
        return any(w is x for x in self.wrong)


class Scale:
    """Of a value over a plot whose top is at y [px]."""

    def __init__(self, low: float, high: float, top: float) -> None:
        pad = 0.06 * (high - low) or 0.5 * abs(high) or 1.0
        self.low, self.high, self.top = low - pad, high + pad, top

    def y(self, value: float) -> float:
        """[px]"""
        return self.top + HIGH * (self.high - value) / (self.high - self.low)


def drawn(p: Picture) -> str:
    """The whole drawing."""
    parts: list[str] = []
    y = 4.0
    for row in chosen(p):
        parts.append(f'<text class="h" x="{LEFT}" y="{y + 11:.0f}">{escape(_title(p.catalog, row))}</text>')
        parts += panel(p, row, y + HEAD)
        y += HEAD + HIGH + STRIP + 10
    parts += lanes(p, y)
    y += LANE * len(by_case(p)) + 4
    parts += times(p.over, y)
    label = escape(f"{p.scenario.id} {p.scenario.zh} {p.scenario.en}")
    return f'<svg viewBox="0 0 {WIDTH} {y + 22:.0f}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def chosen(p: Picture) -> list[int]:
    """Series that matter most: those that spoke as a hazard, then as a ticket, then others of the assets concerned."""
    row = p.catalog.row
    weight: dict[int, float] = {}
    for c in p.changes:
        if c.key in row:
            gain = 100.0 * Level[c.new] if c.kind is Kind.HAZARD and c.mode is Mode.ACTIVE else 1.0
            weight[row[c.key]] = max(weight.get(row[c.key], 0.0), gain)
    for t in p.truth:
        for i in np.flatnonzero(p.catalog.asset == t.asset).tolist():
            weight[i] = weight.get(i, 0.0) + (50.0 if t.hazard else 30.0)
    for i in weight:
        weight[i] += 10.0 * bool(limits_on(p.rules, p.catalog, i))
    order = sorted(weight, key=lambda i: (-weight[i], i)) or list(range(min(p.catalog.n, p.most)))
    some = [i for i in order if p.envelope.of(i)[0].size]
    quantities = p.catalog.quantity
    first = {quantities[i]: i for i in reversed(some)}  # each quantity once before any comes twice
    return sorted(some, key=lambda i: first[quantities[i]] != i)[: p.most]


def panel(p: Picture, row: int, top: float) -> Iterator[str]:
    """Readings of one series, with what is true behind them, the limits across them, and its levels below."""
    at, low, high, last = p.envelope.of(row)
    unit = UNITS[shown(p.catalog.quantity[row], p.catalog.unit[row])]
    low, high, last = ((x - unit.offset) / unit.scale for x in (low, high, last))
    limits = [(name, unit.from_si(bound)) for name, bound in limits_on(p.rules, p.catalog, row)]
    scale = Scale(*span(float(low.min()), float(high.max()), [b for _, b in limits]), top)
    yield from shades(p, str(p.catalog.asset[row]), top)
    yield f'<rect class="fr" x="{LEFT}" y="{top:.1f}" width="{WIDTH - LEFT - RIGHT}" height="{HIGH}"/>'
    for tick in ticks(scale.low, scale.high):
        yield f'<text class="n" x="{LEFT - 4}" y="{scale.y(tick) + 3:.1f}">{tick:.6g}</text>'
        yield f'<path class="g" d="M{LEFT} {scale.y(tick):.1f}H{WIDTH - RIGHT}"/>'
    yield from bounds([(name, b) for name, b in limits if scale.low <= b <= scale.high], scale)
    held = np.isfinite(p.catalog.hold[row])
    yield stairs(at, last, scale) if held else ribbon(at, low, high, scale)
    yield from levels(p, row, top + HIGH + 2)


def bounds(limits: Sequence[tuple[str, float]], scale: Scale) -> Iterator[str]:
    """Limits across a plot, the gravest first; numbers that would stand in one another are left out."""
    taken: list[float] = []
    for name, bound in sorted(limits, key=lambda x: -Level[x[0]]):
        y = scale.y(bound)
        yield f'<path class="lim {name}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        if all(abs(y - other) > 9 for other in taken):
            taken.append(y)
            yield f'<text class="m" x="{WIDTH - RIGHT + 3}" y="{y + 3:.1f}">{SHAPES[name]} {bound:.4g}</text>'


def span(low: float, high: float, bounds: Sequence[float]) -> tuple[float, float]:
    """What a plot shows: all readings, and limits that are not far beyond them."""
    room = 1.5 * (high - low) + 0.25 * max(abs(low), abs(high))
    near = [b for b in bounds if low - room <= b <= high + room]
    return min([low, *near]), max([high, *near])


def ticks(low: float, high: float) -> list[float]:
    """Two to five round numbers in a range."""
    raw = (high - low) / 4
    size = 10.0 ** np.floor(np.log10(raw))
    step = next(m * size for m in (1, 2, 5, 10) if m * size >= raw)
    return [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def ribbon(at: np.ndarray, low: Floats, high: Floats, scale: Scale) -> str:
    """The band from the smallest to the largest reading of each slice; a slice without readings breaks it if it is a gap."""
    gap = max(3 * int(np.median(np.diff(at))) if at.size > 2 else SLICES, 2)
    runs = np.split(np.arange(at.size), np.flatnonzero(np.diff(at) > gap) + 1)
    x = LEFT + (at + 0.5) * (WIDTH - LEFT - RIGHT) / SLICES
    path = ""
    for run in runs:
        over = [f"{x[i]:.1f} {scale.y(high[i]):.1f}" for i in run]
        under = [f"{x[i]:.1f} {scale.y(low[i]):.1f}" for i in run[::-1]]
        path += f"M{'L'.join(over + under)}Z" if run.size > 1 else f"M{over[0]}h.1"
    return f'<path class="x" d="{path}"/>'


def stairs(at: np.ndarray, last: Floats, scale: Scale) -> str:
    """A state that stands until the next."""
    x = LEFT + at * (WIDTH - LEFT - RIGHT) / SLICES
    steps = "".join(f"H{a:.1f}V{scale.y(v):.1f}" for a, v in zip(x, last, strict=True))
    return f'<path class="x s" d="M{x[0]:.1f} {scale.y(last[0]):.1f}{steps}H{WIDTH - RIGHT}"/>'


def shades(p: Picture, asset: str, top: float) -> Iterator[str]:
    """When something is wrong with an asset: hazards from when they can be known, faults of its devices hatched."""
    for t in p.truth:
        if t.asset == asset and t.end > p.over.begin and t.onset < p.over.end:
            a, b = across(p.over, t.onset), across(p.over, t.end)
            kind, what = ("hz", t.hazard) if t.hazard else ("ft", f"sensor: {t.sensor_fault}")
            said = escape(f"{what} {t.place}".strip())
            yield f'<rect class="{kind}" x="{a:.1f}" y="{top:.1f}" width="{max(b - a, 1.5):.1f}" height="{HIGH}">'
            yield f"<title>{said}</title></rect>"
            if t.hazard and max(t.onset, p.over.begin) < t.detectable < p.over.end:
                yield f'<path class="dt" d="M{across(p.over, t.detectable):.1f} {top:.1f}v{HIGH}"/>'


def levels(p: Picture, row: int, top: float) -> Iterator[str]:
    """What the rules said of one series: the gravest of them at each instant."""
    key, stood = p.catalog.key[row], dict[str, Level]()
    begun, level = p.over.begin, Level.NORMAL
    mine = [c for c in p.changes if c.key == key and c.kind is Kind.HAZARD and c.mode is Mode.ACTIVE]
    for c in [*mine, None]:
        if c is not None:
            stood[c.rule] = Level[c.new]
        now, t = (max(stood.values()), c.t) if c is not None else (Level.NORMAL, p.over.end)
        if now is not level or c is None:
            yield from bar(p.over, begun, t, level.name, top, STRIP)
            begun, level = t, now


def bar(s: Stretch, a: int, b: int, level: str, top: float, high: float) -> Iterator[str]:
    """A level from one instant to another, with its shape where there is room."""
    if level == "NORMAL" or b <= s.begin or a >= s.end:
        return
    x, wide = across(s, a), max(across(s, b) - across(s, a), 2.0)
    yield f'<rect class="b {level}" x="{x:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high:.0f}"/>'
    if wide > 12:
        yield f'<text class="k {level}" x="{x + 3:.1f}" y="{top + high - 1.5:.1f}">{SHAPES[level]}</text>'


def lanes(p: Picture, top: float) -> Iterator[str]:
    """What was warned of, when, how gravely; tickets are paler, false warnings marked."""
    for i, ((asset, hazard, kind), mine) in enumerate(by_case(p).items()):
        y = top + LANE * i
        note = " (工单 ticket)" if kind is Kind.TICKET else " ✗" if any(map(p.is_false, mine)) else ""
        name = escape(f"{asset} {hazard}{note}")
        yield f'<g class="w {kind.value}"><text class="l" x="{LEFT}" y="{y + 11:.1f}">{name}</text>'
        for w in mine:
            after = [*(s.told for s in w.steps[1:]), max(p.over.end, w.steps[-1].told)]
            for s, end in zip(w.steps, after, strict=True):
                yield from bar(p.over, s.told, end, s.level.name, y + 14, STRIP)
        yield "</g>"


def by_case(p: Picture) -> dict[tuple[str, str, Kind], list[Said]]:
    """Warnings by asset and hazard, those to people on call first."""
    found: dict[tuple[str, str, Kind], list[Said]] = {}
    for kind, some in ((Kind.HAZARD, p.hazards), (Kind.TICKET, p.tickets)):
        for w in (w for w in some if w.raised < p.over.end):
            found.setdefault((w.asset, w.hazard, kind), []).append(w)
    return dict(islice(found.items(), LANES))


def times(s: Stretch, y: float) -> Iterator[str]:
    """Time since the start of the scenario."""
    for seconds in ticks_of_time((s.begin - s.zero) / NS, (s.end - s.zero) / NS):
        x = across(s, s.zero + round(seconds * NS))
        yield f'<path class="g" d="M{x:.1f} {y:.1f}v4"/><text class="c" x="{x:.1f}" y="{y + 14:.1f}">{clock(seconds)}</text>'


def ticks_of_time(begin: float, end: float) -> list[float]:
    """[s] some five round instants between two."""
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 432000, 864000)
    step = next((x for x in steps if (end - begin) / x <= 7), 2_592_000)
    return [float(k * step) for k in range(int(np.ceil(begin / step)), int(end // step) + 1) if k]


def clock(seconds: float) -> str:
    """So long after the start: "3 d 06:00", "1:02", "1:02:30", "0:00:00.5"."""
    days, rest = divmod(seconds, 86_400)
    hours, minutes, last = int(rest // 3600), int(rest // 60 % 60), rest % 60
    if days:
        return f"{days:.0f} d" + (f" {hours:02d}:{minutes:02d}" if rest else "")
    return f"{hours}:{minutes:02d}" + (f":{last:02.0f}" if last == int(last) and last else f":{last:04.1f}" if last else "")


def across(s: Stretch, t: int) -> float:
    """[px] of an instant; what lies outside is at the edge."""
    part = min(max((t - s.begin) / (s.end - s.begin), 0.0), 1.0)
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def _title(c: Catalog, row: int) -> str:
    q = str(c.quantity[row])
    names = f"{QUANTITIES[q].zh} {QUANTITIES[q].en}" if q in QUANTITIES else q
    return f"{c.key[row]} · {names} [{shown(q, c.unit[row])}]"


def limits_on(rules: Iterable[Rule], c: Catalog, row: int) -> list[tuple[str, float]]:
    """Level and bound [SI] of each hard limit on a series that people are told of."""
    return [(name, bound) for rule in rules if _speaks(rule, c, row) for name, bound in _bounds(rule, c, row)]


def _speaks(rule: Rule, c: Catalog, row: int) -> bool:
    of_domain = rule.domain is None or rule.domain == c.domain[row]
    plain = isinstance(rule.detector, Limit | Peak)  # others judge a slope, a mean or a change, not the reading
    return of_domain and plain and rule.quantity == c.quantity[row] and rule.kind is Kind.HAZARD and rule.mode is Mode.ACTIVE


def _bounds(rule: Rule, c: Catalog, row: int) -> Iterable[tuple[str, float]]:
    si: Callable[[float], float] = UNITS[rule.unit].to_si
    rated = float(c.rated[row])
    for name, bound in rule.bounds.items():
        x = si(bound) * rated if rule.relative else si(bound)
        if np.isfinite(x):
            yield name, x
