"""Panels of a quantity: in the unit people read, with the limits of the rules, never averaged over what crossed one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from boards.board import asset_url, cell, label
from boards.influx import EVERY, GOOD, TIME, Select, any_of, back, chosen, equal, of, shown
from boards.limits import Bound, bounds, far, steps, told
from boards.marks import JSON, joined, link, override, renamed, thresholds, words
from boards.panels import HOUR, Target, series, table, timeline
from boards.words import Language
from lifeline.model import Domain, Rule
from lifeline.units import QUANTITIES, WORDS

GRAFANA: Final = {"s": "s", "Hz": "hertz", "V": "volt", "A": "amp", "count": "none", "pH": "none", "state": "none", "1": "none"}
DAY: Final = 24 * HOUR
GREY: Final = "#9aa3ad"
FALLBACK: Final = "#5794f2"
STATES: Final[dict[str, tuple[tuple[float, str, str, str], ...]]] = {  # value, Chinese, English, colour: what is amiss is loud
    "door": ((0, "关闭", "closed", GREY), (1, "打开", "open", FALLBACK)),
    "door_zone": ((0, "门区外", "outside", "#ef7d1a"), (1, "门区内", "inside", GREY)),
    "motion": ((0, "停止", "stopped", GREY), (1, "运行", "moving", FALLBACK)),
    "mode": ((0, "自动", "automatic", GREY), (1, "检修", "maintenance", "#8ab8ff"), (2, "消防", "fire", "#d62828")),
    "alarm_button": ((0, "未按", "released", GREY), (1, "按下", "pressed", "#d62828")),
    "immersion": ((0, "干", "dry", GREY), (1, "浸水", "under water", FALLBACK)),
    "valve": ((0, "关闭", "closed", "#ef7d1a"), (1, "开启", "open", GREY)),
    "pump": ((0, "停", "off", GREY), (1, "运行", "on", FALLBACK)),
    "power": ((0, "断电", "off", "#ef7d1a"), (1, "有电", "on", GREY)),
    "online": ((0, "离线", "offline", "#8f3bb8"), (1, "在线", "online", GREY)),
    "direction": ((-1, "下行", "down", "#8ab8ff"), (0, "无", "none", GREY), (1, "上行", "up", FALLBACK)),
    "safety_circuit": ((0, "断开", "open", "#ef7d1a"), (1, "闭合", "closed", GREY)),
    "lock_circuit": ((0, "断开", "open", "#ef7d1a"), (1, "闭合", "closed", GREY)),
    "limit_switch": ((0, "正常", "free", GREY), (1, "动作", "actuated", "#d62828")),
    "buffer_switch": ((0, "正常", "free", GREY), (1, "压缩", "compressed", "#d62828")),
    "landing_button": ((0, "未按", "released", GREY), (1, "按下", "pressed", FALLBACK)),
}


@dataclass(frozen=True)
class Scope:
    """What the panels of a board are about."""

    say: Language
    domain: Domain
    rules: Sequence[Rule]

    @property
    def where(self) -> tuple[str, ...]:
        """The chosen districts and assets of the domain."""
        return equal("domain", self.domain), chosen("district"), chosen("asset")

    def named(self, quantity: str) -> str:
        q = QUANTITIES[quantity]
        return self.say(q.zh, q.en)

    def titled(self, quantity: str, more: str = "") -> str:
        """The quantity with its unit, and with what is done to it."""
        unit = QUANTITIES[quantity].shown
        unit = "" if unit in {"state", "count", "pH", "1"} else self.say(f"（{unit}）", f" ({unit})")
        head = self.named(quantity)
        head = head[:1].upper() + head[1:]
        return f"{head}{unit}" + (self.say(f"：{more}", f": {more}") if more else "")

    def limits(self, quantity: str, *, both: bool = False) -> list[Bound]:
        return bounds(self.rules, self.domain, quantity, both=both)

    def told(self, quantity: str, more: str = "") -> str:
        text = told(self.rules, self.domain, quantity, self.say)
        return f"{more}\n\n{text}" if more else text

    def asset(self, asset: str) -> JSON:
        """A link to the board of an asset."""
        return link(self.say("查看设施", "Look at the asset"), asset_url(self.domain, self.say, asset))


def unit_of(quantity: str) -> str:
    """The unit as Grafana writes it behind figures."""
    unit = QUANTITIES[quantity].shown
    return GRAFANA.get(unit, f"suffix: {unit}")


def extremes(found: Sequence[Bound]) -> tuple[str, ...]:
    """What of a slot must be shown so that no crossing is lost: its largest value, its smallest, or both."""
    sides = {b.upper for b in found}
    return {(True,): ("max",), (False,): ("min",), (False, True): ("max", "min")}.get(tuple(sorted(sides)), ("mean",))


def lines(
    s: Scope, quantity: str, *, by: str = "asset", only: str = "", both: bool = False, more: str = "", about: str = "",
    where: Sequence[str] = (), **how: Any,
) -> JSON:  # fmt: skip
    """A quantity over time, a line for each tag value, with its limits. only: the one function of a slot that is shown."""
    found = s.limits(quantity, both=both)
    functions = (only,) if only else extremes(found)
    targets = [
        Target(
            Select(
                shown(f'{f}("value")', quantity), of(quantity), (TIME, *(where or s.where), *usable(quantity)), (by,), EVERY
            ),
            f"$tag_{by}" + (f" {f}" if len(functions) > 1 else ""),
        )
        for f in functions
    ]
    links = [s.asset(label("asset"))] if by == "asset" else []
    return series(
        s.titled(quantity, more), targets, s.say, unit=unit_of(quantity), steps=steps(found) if found else (),
        about=s.told(quantity, about), links=links, soft=far(found), **how,
    )  # fmt: skip


def usable(quantity: str) -> tuple[str, ...]:
    """Only readings that are judged; states are never out of range."""
    return () if quantity in WORDS else (GOOD,)


def wave(s: Scope, quantity: str, *, by: str = "asset", more: str = "", where: Sequence[str] = (), **how: Any) -> JSON:
    """Peaks of a waveform, both ways: the largest and the smallest of each slot."""
    found = s.limits(quantity, both=True)
    wanted = (TIME, *(where or s.where))
    targets = [
        Target(Select(shown(f'{f}("{f}")', quantity), of(quantity), wanted, (by,), EVERY), f"$tag_{by} {f}")
        for f in ("max", "min")
    ]
    return series(
        s.titled(quantity, more or s.say("峰值", "peaks")), targets, s.say, unit=unit_of(quantity),
        steps=steps(found) if found else (), about=s.told(quantity), soft=far(found), gap=HOUR // 12, **how,
    )  # fmt: skip


def rms(s: Scope, quantity: str, *, window: str = "10m", by: str = "asset", where: Sequence[str] = (), **how: Any) -> JSON:
    """Root mean square of a waveform over a window, from its seconds: the limits are those of the window."""
    found = s.limits(quantity)
    squares = Select('"rms" * "rms" AS "square"', of(quantity), (TIME, *(where or s.where)))
    select = Select(shown('sqrt(mean("square"))', quantity), (squares,), (TIME,), (by,), window)
    return series(
        s.titled(quantity, s.say(f"{window} 均方根", f"RMS of {window}")), [Target(select, f"$tag_{by}")], s.say,
        unit=unit_of(quantity), steps=steps(found) if found else (), about=s.told(quantity), soft=far(found), **how,
    )  # fmt: skip


def ranked(s: Scope, quantity: str, *, worst: str = "max", w: int = 12, h: int = 9, about: str = "", title: str = "") -> JSON:
    """Assets by the worst reading of the time shown; the latest beside it, and when it was measured. worst: max or min."""
    wanted = (TIME, *s.where, GOOD)
    now = Select(f'{shown(last(), quantity)} AS "now"', of(quantity), wanted, ("asset", "district"))
    most = Select(f'{shown(f"""{worst}("value")""", quantity)} AS "worst"', of(quantity), wanted, ("asset",))
    found = s.limits(quantity)
    coloured = {"type": "color-background", "mode": "gradient"}
    names = {
        "asset": s.say("设施", "Asset"),
        "district": s.say("片区", "District"),
        "now": s.say("最新", "Latest"),
        "worst": s.say("最高", "Highest") if worst == "max" else s.say("最低", "Lowest"),
        "Time 1": s.say("最近读数", "Last reading"),
    }
    figures = [
        override(
            names[c], unit=unit_of(quantity), decimals=2, custom__cellOptions=coloured, thresholds=thresholds(steps(found))
        )
        for c in ("now", "worst")
    ]
    rows = [
        *figures,
        override(names["asset"], links=[s.asset(cell(names["asset"]))]),
        override(names["Time 1"], unit="dateTimeFromNow"),
    ]
    made = table(
        title or s.titled(quantity, s.say("排序", "ranked")), [Target(now, table=True), Target(most, table=True)], s.say,
        overrides=rows, sort=names["worst"], w=w, h=h, about=s.told(quantity, about),
        transformations=[joined("asset"), renamed(names, list(names), ("Time 2",))],
    )  # fmt: skip
    made["options"]["sortBy"][0]["desc"] = worst == "max"
    return made


def last() -> str:
    return 'last("value")'


def states(
    s: Scope, quantities: Sequence[str], title: str, *, where: Sequence[str] = (), by: str = "asset", **how: Any
) -> JSON:
    """States as bars over time. Several quantities only where they read alike."""
    wanted = where or s.where
    targets = [
        Target(
            Select('last("value")', of(q), (TIME, *wanted), (by,), EVERY, "none"), f"$tag_{by} {s.named(q)}".strip()
        )
        for q in quantities
    ]  # fmt: skip
    made = timeline(title, targets, s.say, worded(s.say, quantities[0]), **how)
    made["fieldConfig"]["overrides"] = [
        {
            "matcher": {"id": "byFrameRefID", "options": chr(ord("A") + i)},
            "properties": [{"id": "mappings", "value": worded(s.say, q)}],
        }
        for i, q in enumerate(quantities)
        if i
    ]
    return made


def worded(say: Language, quantity: str) -> list[JSON]:
    return words([(v, say(zh, en), colour) for v, zh, en, colour in STATES[quantity]])


def seen(s: Scope, quantities: Sequence[str], *, where: Sequence[str], w: int = 12, h: int = 9) -> JSON:
    """When each series was last heard, whatever the quality of what it said."""
    select = Select('last("value") AS "value", "quality"', any_of(quantities), (back("30d"), *where), ("key", "device"))
    names = {
        "Time": s.say("最近读数", "Last reading"),
        "key": s.say("测点", "Series"),
        "device": s.say("设备", "Device"),
        "quality": s.say("质量码", "Quality"),
    }
    rows = [override(names["Time"], unit="dateTimeFromNow"), override(names["quality"], mappings=qualities(s.say))]
    title = s.say("各测点最近读数", "When each series was last heard")
    about = s.say("越久越靠前。设备失联在此可见。", "The longest silence first.")
    made = table(
        title, [Target(select, table=True)], s.say, overrides=rows, sort=names["Time"], w=w, h=h, about=about,
        transformations=[renamed(names, list(names), ("value",))],
    )  # fmt: skip
    made["options"]["sortBy"][0]["desc"] = False
    return made


QUALITIES: Final = (
    ("正常", "good", GREY), ("存疑", "suspect", "#e8b800"), ("超量程", "out of range", "#ef7d1a"), ("卡滞", "stuck", "#ef7d1a"),
    ("跳变", "spike", "#ef7d1a"), ("饱和", "saturated", "#d62828"), ("标定", "calibration", "#8ab8ff"),
    ("检修", "maintenance", "#8ab8ff"), ("过期", "stale", "#8f3bb8"), ("时钟错误", "clock is off", "#8f3bb8"),
)  # fmt: skip


def qualities(say: Language) -> list[JSON]:
    """Quality codes as words; in the order of lifeline.model.Quality."""
    return words([(i, say(zh, en), colour) for i, (zh, en, colour) in enumerate(QUALITIES)])
