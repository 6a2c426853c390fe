"""The plots of a report, as SVG that stands in the page itself."""

import io
import re
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

from alerts import plot
from alerts.bulletins.bulletin import Bulletin
from alerts.bulletins.figures import ANSWERS, CLOSINGS, TICKET, Row
from alerts.bulletins.sections import grades, stretches
from alerts.bulletins.words import Language, classed, say, word
from alerts.texts import DOMAINS

COLOURS: Final = {**plot.COLOURS, TICKET: "#8a8f98"}
WIDE, HIGH = 7.4, 2.3  # [inch] of a plot: the width of an A4 page


def plots(b: Bulletin, zone: tzinfo, language: Language) -> dict[str, str]:
    """Name of a section -> its plot; where there is nothing to draw, none. Blocks for a second or more."""
    spoken = language if language == "en" or plot.chinese() else "en"  # without a font there would be boxes
    hours = stretches(b, zone)
    found = {"times": _stacked(b.now["times"], "stretch", dict(enumerate(hours)), spoken)}
    names = {r["domain"]: say(DOMAINS.get(r["domain"], (r["domain"],) * 2), spoken) for r in b.now["domains"]}
    found["domains"] = _stacked(b.now["domains"], "domain", names, spoken)
    for name, ends in (("answer_classes", ANSWERS), ("closing_classes", CLOSINGS)):
        labels = {i: classed(i, ends, spoken) for i in range(len(ends) + 1)}
        found[name] = _stacked(b.now[name], "class", labels, spoken)
    return {name: svg for name, svg in found.items() if svg}


def _stacked(rows: Sequence[Row], column: str, labels: dict[Any, str], language: Language) -> str:
    """Bars of one thing after another, the levels upon each other."""
    if not rows:
        return ""

    def draw(ax: Any) -> None:
        base = [0] * len(labels)
        for grade in reversed(grades(rows)):
            heights = [sum(r["n"] for r in rows if r[column] == key and r["level"] == grade) for key in labels]
            ax.bar(
                range(len(labels)), heights, bottom=base, color=COLOURS[grade], label=word("level", grade, language), width=0.8
            )
            base = [b + h for b, h in zip(base, heights, strict=True)]
        step = 1 + len(labels) // 16
        ax.set_xticks(range(0, len(labels), step), [t for i, t in enumerate(labels.values()) if i % step == 0])
        ax.yaxis.get_major_locator().set_params(integer=True)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, reverse=True)

    return _svg(draw)


def _svg(draw: Any) -> str:
    """A figure as an element of a page: letters as outlines, so that it looks alike without the font; the same each time."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    font = plot.chinese()
    family = [*([font] if font else []), "DejaVu Sans"]
    settings: Any = {"font.family": family, "font.size": 8.0, "svg.fonttype": "path", "svg.hashsalt": "lifeline"}
    with plot.ONE_AT_A_TIME, mpl.rc_context(settings):
        figure = Figure(figsize=(WIDE, HIGH), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.subplots())
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return out.getvalue()[out.getvalue().index("<svg") :]


def apart(svg: str, name: str) -> str:
    """With names of its own, for several stand in one page."""
    return re.sub(r'((?:id|clip-path|xlink:href|href)="(?:url\()?#?)(?=[A-Za-z])(?!http)', rf"\g<1>{name}-", svg)
