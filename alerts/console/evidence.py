"""The readings that a case rests on, as a chart with the limits they crossed."""

from datetime import datetime, timedelta
from typing import Any, Final

from alerts.console.visit import ZONE, Visit
from alerts.notice import Grounds
from alerts.plot import COLOURS, bounds
from alerts.texts import LEVELS
from lifeline.model import NS, Level
from lifeline.units import QUANTITIES

GREY: Final = "#8393a3"  # reads on light and dark
INK: Final = "#3d9be9"


def drawable(g: Grounds) -> bool:
    """Whether there are two readings at least."""
    return sum(v is not None for v in g.evidence.value) > 1 and len(g.evidence.t) == len(g.evidence.value)


def title(visit: Visit, g: Grounds) -> str:
    """What was measured, by which device."""
    quantity = QUANTITIES.get(g.quantity)
    name = visit.pick((quantity.zh, quantity.en)) if quantity else g.quantity
    return f"{name} · {g.key}"


def options(visit: Visit, g: Grounds) -> dict[str, Any]:
    """For echarts: time across, readings up, limits as lines in their colours."""
    seen = [v for v in g.evidence.value if v is not None]
    limits = _near(bounds(g), min(seen), max(seen))
    low, high = min([*seen, *limits.values()]), max([*seen, *limits.values()])
    room = 0.08 * (high - low or abs(high) or 1.0)
    points = [[_wall(t), v] for t, v in zip(g.evidence.t, g.evidence.value, strict=True)]
    unit = "" if g.evidence.unit in {"1", "state", "count"} else g.evidence.unit
    label = {"color": GREY, "hideOverlap": True, "showMinLabel": False, "showMaxLabel": False}
    axis = {
        "axisLine": {"lineStyle": {"color": GREY}},
        "axisLabel": label,
        "splitLine": {"lineStyle": {"opacity": 0.15}},
    }
    return {
        "animation": False,
        "useUTC": True,
        "grid": {"left": 56, "right": 92, "top": 28, "bottom": 28},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {"type": "time", **axis},
        "yAxis": {
            "type": "value", "name": unit, "nameTextStyle": {"color": GREY}, "min": _round(low - room),
            "max": _round(high + room), **axis,
        },
        "series": [
            {
                "type": "line", "data": points, "connectNulls": False, "symbolSize": 5, "lineStyle": {"width": 2, "color": INK},
                "itemStyle": {"color": INK},
                "markLine": {"symbol": "none", "silent": True, "data": [_line(visit, name, at) for name, at in limits.items()]},
            }
        ],
        "aria": {"enabled": True, "label": {"description": title(visit, g)}},
    }  # fmt: skip


def _wall(t: int) -> int:
    """An instant as if the city's clocks showed UTC: charts know no other zone than that and the browser's. t [ns]; [ms]"""
    ahead = datetime.fromtimestamp(t // NS, ZONE).utcoffset() or timedelta()
    return t // 1_000_000 + round(ahead.total_seconds() * 1000)


def _near(found: dict[str, float], low: float, high: float) -> dict[str, float]:
    """Limits that do not flatten the readings."""
    room = 1.5 * (high - low) + 0.25 * max(abs(low), abs(high))
    return {n: b for n, b in sorted(found.items(), key=lambda x: Level[x[0]]) if low - room <= b <= high + room}


def _line(visit: Visit, name: str, at: float) -> dict[str, Any]:
    colour = COLOURS.get(name, GREY)
    label = {"formatter": f"{visit.pick(LEVELS[name])} {at:.4g}", "color": GREY, "position": "end"}
    return {"yAxis": at, "lineStyle": {"color": colour, "width": 2, "type": "dashed"}, "label": label}


def _round(x: float) -> float:
    return float(f"{x:.3g}")
