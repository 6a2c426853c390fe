"""A public set as a drawing (SVG): readings, truth behind them, alarms below, over one axis of time; as scenarios are drawn."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from lifeline.model import Batch, Floats, Ints, Quality
from pipeline.docket import Warned
from pipeline.envelope import Envelope
from pipeline.plots import HEAD, HIGH, LANE, LEFT, RIGHT, STRIP, WIDTH, Scale, Stretch, across, bar, ribbon, ticks, times
from pipeline.public.play import Heard, Span
from simulators.world import Turn


class Panel(NamedTuple):
    """One series."""

    title: str
    t: Ints  # [k] [ns]
    value: Floats  # [k] in the unit of the title


class Shade(NamedTuple):
    """What is true meanwhile."""

    begin: int  # [ns]
    end: int  # [ns]
    says: str


class Lane(NamedTuple):
    """Alarms of one voice."""

    title: str
    bars: Sequence[tuple[int, int, str]]  # [ns] [ns] level


class Drawing(NamedTuple):
    """What is drawn of a set."""

    title: str
    begin: int  # [ns]
    end: int  # [ns]
    panels: Sequence[Panel]
    truth: Sequence[Shade]
    lanes: Sequence[Lane]


def lane(title: str, spans: Iterable[Span]) -> Lane:
    """Warnings as they stood."""
    return Lane(title, [(s.begin, s.end, s.level) for s in spans])


def alarms(heard: Heard, passive: Sequence[Warned] | None) -> list[Lane]:
    """What was warned of, and what would have been had passive rules spoken too."""
    lanes = [lane("预警 warnings", heard.spans(heard.warnings()))]
    if passive is not None:
        lanes.append(lane("若被动规则也发声 had passive rules spoken too", heard.spans(passive)))
    return lanes


def drawn(d: Drawing) -> str:
    """The whole drawing."""
    over = Stretch(d.begin, d.begin, max(d.end, d.begin + 1))
    parts: list[str] = []
    y = 4.0
    for p in d.panels:
        parts.append(f'<text class="h" x="{LEFT}" y="{y + 11:.0f}">{escape(p.title)}</text>')
        parts += panel(d, over, p, y + HEAD)
        y += HEAD + HIGH + 8
    for lane in d.lanes:
        parts.append(f'<g class="w"><text class="l" x="{LEFT}" y="{y + 11:.1f}">{escape(lane.title)}</text>')
        for a, b, level in lane.bars:
            parts += bar(over, a, b, level, y + 14, STRIP)
        parts.append("</g>")
        y += LANE
    parts += times(over, y + 4)
    label = escape(d.title)
    return f'<svg viewBox="0 0 {WIDTH} {y + 26:.0f}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def panel(d: Drawing, over: Stretch, p: Panel, top: float) -> Iterator[str]:
    """Readings of one series as the band from the smallest to the largest of each slice, the truth behind them."""
    for s in d.truth:
        if s.end > over.begin and s.begin < over.end:
            a, b = across(over, s.begin), across(over, s.end)
            yield f'<rect class="hz" x="{a:.1f}" y="{top:.1f}" width="{max(b - a, 1.0):.1f}" height="{HIGH}">'
            yield f"<title>{escape(s.says)}</title></rect>"
    yield f'<rect class="fr" x="{LEFT}" y="{top:.1f}" width="{WIDTH - LEFT - RIGHT}" height="{HIGH}"/>'
    at, low, high = sliced(p, over)
    if not at.size:
        return
    scale = Scale(float(low.min()), float(high.max()), top)
    for tick in ticks(scale.low, scale.high):
        yield f'<text class="n" x="{LEFT - 4}" y="{scale.y(tick) + 3:.1f}">{tick:.6g}</text>'
        yield f'<path class="g" d="M{LEFT} {scale.y(tick):.1f}H{WIDTH - RIGHT}"/>'
    yield ribbon(at, low, high, scale)


def sliced(p: Panel, over: Stretch) -> tuple[Ints, Floats, Floats]:
    """Slices with readings, their smallest and their largest. [k]"""
    there = np.isfinite(p.value) & (p.t >= over.begin) & (p.t <= over.end)
    n = int(there.sum())
    held = Envelope(np.zeros(1, np.int32), 1, over.begin, over.end + 1)
    batch = Batch(np.zeros(n, np.int32), p.t[there], p.value[there], np.full(n, Quality.GOOD, np.uint8))
    held.add(Turn(over.end, batch, []))
    return held.of(0)[:3]
