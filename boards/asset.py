"""One asset: every series with its limits, its levels over time, its warnings."""

from collections.abc import Sequence
from typing import Any, Final

from boards.board import Board, Row, assets, districts, pushed, values, variable, warnings
from boards.domains import navigation
from boards.draw import DAY, Scope, lines, qualities, rms, seen, states, wave
from boards.influx import EVERY, GOOD, TIME, Select, any_of, chosen, equal, of, shown
from boards.marks import JSON, of_levels, of_ranks, rank_steps
from boards.panels import HOUR, Target, scatter, series, stat, timeline
from boards.standing import opened, standing
from boards.vibration import hours, latest, spectra, tracks, trend
from boards.words import DOMAINS, Language
from lifeline.model import Domain, Rule

SERIES: Final[dict[Domain, tuple[str, ...]]] = {  # the order that the domain's people read them in
    Domain.GAS: (
        "methane",
        "gas_pressure",
        "gas_flow",
        "methane_air",
        "temperature",
        "humidity",
        "air_pressure",
        "water_level",
    ),
    Domain.WATER: (
        "water_pressure",
        "water_flow",
        "water_level",
        "chlorine",
        "turbidity",
        "ph",
        "conductivity",
        "temperature",
        "rain",
    ),
    Domain.BRIDGE: (
        "frequency",
        "strain",
        "deflection",
        "tilt",
        "joint",
        "displacement",
        "bearing_force",
        "cable_force",
        "crack",
        "vehicle_mass",
        "axle_mass",
        "wind_speed",
        "wind_direction",
        "temperature",
        "humidity",
    ),
    Domain.ELEVATOR: (
        "levelling",
        "vibration",
        "jerk",
        "speed",
        "floor",
        "passengers",
        "door_time",
        "reopenings",
        "brake_distance",
        "rope_slip",
        "motor_current",
        "sheave_speed",
        "rope_speed",
        "temperature",
    ),
}
EVENTS: Final[dict[Domain, tuple[str, ...]]] = {
    Domain.GAS: ("valve", "immersion"),
    Domain.WATER: ("pump", "valve"),
    Domain.BRIDGE: (),
    Domain.ELEVATOR: (
        "motion",
        "door",
        "door_zone",
        "mode",
        "alarm_button",
        "power",
        "safety_circuit",
        "lock_circuit",
        "limit_switch",
        "buffer_switch",
        "direction",
        "landing_button",
    ),
}
WAVES: Final[dict[Domain, tuple[str, ...]]] = {
    Domain.WATER: ("water_transient",),
    Domain.BRIDGE: ("acceleration", "pier_acceleration"),
    Domain.ELEVATOR: ("acceleration",),
}
RARE: Final = frozenset(
    {
        "frequency",
        "cable_force",
        "crack",
        "levelling",
        "vibration",
        "jerk",
        "door_time",
        "reopenings",
        "brake_distance",
        "rope_slip",
        "motor_current",
        "axle_mass",
        "vehicle_mass",
    }
)
SINGLE: Final = frozenset({"vehicle_mass", "axle_mass"})  # each reading is an event
OURS: Final = ("asset", "level", "warning")  # measurements that are no quantities


def asset_board(domain: Domain, say: Language, rules: Sequence[Rule], database: str = "lifeline") -> Board:
    """database: of the readings; that of the hourly means is called so with `_1h` behind"""
    s = Scope(say, domain, rules)
    at = (chosen("asset"),)
    named = say.of(DOMAINS[domain])
    extra = []
    if domain is Domain.BRIDGE:
        extra = [variable("mode", say("阶次", "Mode"), values("key", "frequency", at), many=False), hours(database)]
    return Board(
        f"{domain}-asset",
        say(f"{named}：单个设施", f"{named}: one asset"),
        say("一个设施的全部测点与限值、级别、预警。", "Every series of an asset with its limits, its levels, its warnings."),
        [
            Row(say("现状", "How it stands"), head(s, at)),
            *rows(s, at),
            Row(say("测点与质量", "Series and quality"), tail(s, at)),
        ],
        variables=[districts(say, domain), assets(say, domain, many=False), *extra],
        annotations=[warnings(say, at), pushed(say, ["lifeline", "${asset:raw}"])],
        links=navigation(say, ""),
        tags=["lifeline", str(domain), "asset"],
    )


def head(s: Scope, at: Sequence[str]) -> list[JSON]:
    """The level now and over time, by hazard too."""
    say = s.say
    now = stat(
        say("当前级别", "Level now"), [Target(standing(at), table=True)], say, steps=rank_steps(), column="/^rank$/", w=4, h=8
    )
    now["fieldConfig"]["defaults"]["mappings"] = of_ranks(say)
    over = Select('last("level")', of("asset"), (TIME, *at), ("asset",), EVERY, "null")
    each = Select('"level"', of("level"), (TIME, *at), ("hazard",))
    return [
        now,
        timeline(say("设施级别", "Level of the asset"), [Target(over, "$tag_asset")], say, of_levels(say), w=20, h=4),
        timeline(
            say("各险情级别", "Level by hazard"),
            [Target(each, "$tag_hazard")],
            say,
            of_levels(say),
            w=20,
            h=6,
            about=say("从所示时段内的第一次变化开始。", "Begins with the first change in the time shown."),
        ),
        opened(say, at, w=24, h=7),
    ]


def rows(s: Scope, at: Sequence[str]) -> list[Row]:
    """Its series; states of event-like ones as bars."""
    say, domain = s.say, s.domain
    made = [lines(s, q, by="key", where=at, **how(q)) for q in SERIES[domain]]
    if domain is Domain.BRIDGE:
        made.insert(1, against(s, at))
        made.insert(2, rms(s, "acceleration", by="key", where=at, w=12))
    made += [wave(s, q, by="key", where=at, w=12) for q in WAVES.get(domain, ())]
    found = [Row(say("测值与限值", "Readings and limits"), made)]
    if domain is Domain.BRIDGE:
        shaken = [spectra(s, at), latest(s, at, w=8), tracks(s, at, w=8), trend(s, at, w=8)]
        found.append(Row(say("频谱与固有频率", "Spectra and natural frequencies"), shaken))
    if EVENTS[domain]:
        bars = states(s, EVENTS[domain], say("状态", "States"), where=at, by="key", h=12)
        found.insert(0 if domain is Domain.ELEVATOR else 1, Row(say("状态", "States"), [bars]))
    return found


def how(quantity: str) -> dict[str, Any]:
    """How a quantity is drawn: events as points, others as lines that break where nothing came."""
    drawn: dict[str, Any] = {"w": 12, "gap": DAY if quantity in RARE else 4 * HOUR}
    return drawn | ({"style": "points"} if quantity in SINGLE else {})


def against(s: Scope, at: Sequence[str]) -> JSON:
    """A modal frequency against temperature: on one curve it is the weather, off it the structure."""
    x, y = s.titled("temperature"), s.titled("frequency")
    warm = Select(f'{shown("""mean("value")""", "temperature")} AS "{x}"', of("temperature"), (TIME, *at, GOOD), (), "1h")
    mine = '"key" =~ /^${mode:regex}$/'
    mode = Select(f'mean("value") AS "{y}"', of("frequency"), (TIME, *at, GOOD, mine), (), "1h")
    title = s.say("频率与温度", "Frequency against temperature")
    about = s.say("每点一小时；阶次在上方选择。", "A point for each hour; the mode is chosen above.")
    return scatter(title, [Target(warm, table=True), Target(mode, table=True)], s.say, x, y, about=about)


def tail(s: Scope, at: Sequence[str]) -> list[JSON]:
    """When each series was last heard, and of what quality what came was."""
    quantities = (*SERIES[s.domain], *EVENTS[s.domain], "battery")
    codes = Select('last("quality")', any_of(quantities), (TIME, *at), ("key",), EVERY, "none")
    title = s.say("读数质量", "Quality of readings")
    return [
        seen(s, quantities, where=at),
        timeline(title, [Target(codes, "$tag_key")], s.say, qualities(s.say), w=12, h=9),
        lines(s, "battery", by="key", where=at, gap=DAY, w=24, h=6),
    ]


def other(say: Language, rules: Sequence[Rule]) -> Board:
    """Assets of no domain of ours: whatever they measure, in SI units, a panel each."""
    s = Scope(say, Domain.OTHER, rules)
    at = (equal("domain", Domain.OTHER), chosen("asset"))
    select = Select('mean("value")', ("/^${quantity:regex}$/",), (TIME, *at), ("key",), EVERY)
    each = series(
        "${quantity}", [Target(select, "$tag_key")], say, unit="none", w=12, gap=DAY, about=say("国际单位制。", "In SI units.")
    ) | {"repeat": "quantity", "repeatDirection": "h", "maxPerRow": 2}
    ask = f"SHOW MEASUREMENTS WHERE {equal('domain', Domain.OTHER)} AND {chosen('asset')}"
    regex = f"/^(?!(?:lifeline_|{'|'.join(f'{m}$' for m in OURS)})).*/"
    return Board(
        "other-asset",
        say("其他领域：单个设施", "Other domains: one asset"),
        say("不属于四个领域的设施：全部测量，国际单位。", "Assets of none of the four domains: all they measure, in SI units."),
        [Row(say("现状", "How it stands"), head(s, at)), Row(say("测值", "Readings"), [each])],
        variables=[
            districts(say, Domain.OTHER),
            assets(say, Domain.OTHER, many=False),
            variable("quantity", say("量", "Quantity"), ask, regex=regex),
        ],
        annotations=[warnings(say, at), pushed(say, ["lifeline", "${asset:raw}"])],
        links=navigation(say, ""),
        tags=["lifeline", "other", "asset"],
    )
