"""The evidence of a warning as a picture: the last readings of its gravest series, with the limits they crossed."""

import asyncio
import io
import logging
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from alerts.notice import Grounds, Story
from alerts.texts import LEVELS, hazard
from lifeline.model import NS, Level
from lifeline.units import QUANTITIES, UNITS

ZONE: Final = ZoneInfo("Asia/Shanghai")
COLOURS: Final = {"BLUE": "#3b7dd8", "YELLOW": "#e8b800", "ORANGE": "#ef7d1a", "RED": "#d62828"}
CHINESE: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei",
    "Microsoft YaHei", "SimHei", "PingFang SC", "Droid Sans Fallback",
)  # fmt: skip
FILES: Final = re.compile(
    r"NotoSans(CJK|SC)|SourceHanSans|wqy|msyh|simhei|PingFang|DroidSansFallback", re.IGNORECASE
)  # of these
KEPT: Final = 64  # [1] pictures
PATIENCE: Final = 2.0  # [s]
log: Final = logging.getLogger("lifeline.desk")
ONE_AT_A_TIME: Final = Lock()  # matplotlib's settings are those of the whole process


async def png(story: Story, patience: float | None = None) -> bytes | None:
    """The picture; None where there is none. Drawn once for each version of a warning, off the event loop.

    No notice waits long for it, and none fails with it. patience [s]; None: that of notices.
    """
    if not drawable(story):
        return None
    try:
        async with asyncio.timeout(PATIENCE if patience is None else patience):
            return await asyncio.to_thread(_png, msgspec.json.encode(story))
    except TimeoutError:
        log.warning("a plot takes too long", extra={"warning": story.warning})
    except Exception:  # whatever ails a picture, its notice is sent without it
        log.exception("a plot cannot be drawn", extra={"warning": story.warning})
    return None


def drawable(story: Story) -> bool:
    """Whether its gravest grounds hold two readings at least."""
    seen = story.grounds[0].evidence if story.grounds else None
    return seen is not None and sum(v is not None for v in seen.value) > 1 and len(seen.t) == len(seen.value)


def _png(story: bytes) -> bytes:
    with ONE_AT_A_TIME:
        return _drawn(story)


@lru_cache(KEPT)
def _drawn(body: bytes) -> bytes:
    story = msgspec.json.decode(body, type=Story)
    return _written(lambda ax: _draw(ax, story, zh=chinese() is not None))


def _written(draw: Callable[[Any], None]) -> bytes:
    """A figure as PNG. The first in a process takes far longer than the others: fonts are looked for."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    font = chinese()
    with mpl.rc_context({"font.family": [*([font] if font else []), "DejaVu Sans"], "font.size": 9.0}):
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure.subplots())
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=100)
    return out.getvalue()


def warm() -> None:
    """Draw something, before a warning waits for the first picture of this process. Blocks for seconds."""
    with ONE_AT_A_TIME:
        _written(lambda ax: ax.set_title("lifeline"))


@cache
def chinese() -> str | None:
    """A font on this machine that has Chinese characters."""
    from matplotlib import font_manager

    if (found := _known(font_manager.get_font_names())) is not None:
        return found
    for path in font_manager.findSystemFonts():  # installed since matplotlib has last looked
        if FILES.search(path):
            with suppress(OSError, RuntimeError):  # a file that is no font
                font_manager.fontManager.addfont(path)
    return _known(font_manager.get_font_names())


def _known(names: Iterable[str]) -> str | None:
    there = set(names)
    return next((name for name in CHINESE if name in there), None)


def _draw(ax: Any, story: Story, *, zh: bool) -> None:
    from matplotlib import dates

    g = story.grounds[0]
    t = [datetime.fromtimestamp(x / NS, UTC) for x in g.evidence.t]
    value = [float("nan") if v is None else v for v in g.evidence.value]
    ax.plot(t, value, lw=1.2, marker=".", ms=4, color="#333333")
    _limits(ax, bounds(g), [v for v in value if v == v], zh=zh)  # noqa: PLR0124  NaN is not itself
    of: Any = dates  # its classes are not typed
    locator = of.AutoDateLocator(tz=ZONE)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(of.ConciseDateFormatter(locator, tz=ZONE))
    ax.grid(lw=0.3)
    ax.set_title(_title(story, g, zh=zh), loc="left", fontsize=10, parse_math=False)
    ax.set_ylabel(g.evidence.unit)


def bounds(g: Grounds) -> dict[str, float]:
    """Level name -> its bound in the unit of the readings; none where they cannot be compared."""
    unit, said = g.evidence.unit, g.evidence.bounds_unit
    if unit == said:
        return dict(g.evidence.bounds)
    if said == "1" or unit not in UNITS or said not in UNITS or UNITS[unit].si != UNITS[said].si:
        return {}
    return {name: UNITS[unit].from_si(UNITS[said].to_si(bound)) for name, bound in g.evidence.bounds.items()}


def _limits(ax: Any, found: dict[str, float], seen: Iterable[float], *, zh: bool) -> None:
    """Across the readings; one that is far from all of them is left out, lest it flattens them."""
    low, high = min(seen), max(seen)
    room = 1.5 * (high - low) + 0.25 * max(abs(low), abs(high))
    for name, bound in sorted(found.items(), key=lambda x: Level[x[0]]):
        if low - room <= bound <= high + room:
            ax.axhline(bound, lw=1.5, ls="--", color=COLOURS.get(name, "#888888"))
            label = f" {LEVELS[name][0] if zh else name} {bound:.4g}"
            ax.annotate(label, (1.0, bound), xycoords=("axes fraction", "data"), fontsize=8, va="center")


def _title(story: Story, g: Grounds, *, zh: bool) -> str:
    quantity, level = QUANTITIES.get(g.quantity), LEVELS.get(story.level, (story.level, story.level))
    what = (quantity.zh, quantity.en) if quantity else (g.quantity, g.quantity)
    i = 0 if zh else 1
    place = story.asset if zh or story.asset.isascii() else ""
    device = g.device if zh or g.device.isascii() else ""
    said = "  ".join(x for x in (level[i], hazard(story.hazard)[i], place, what[i], device, story.warning) if x)
    return "".join(c if c.isprintable() else " " for c in said)
