"""The boards of the four domains: what the people of each look at first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from boards.board import DOMAIN_BOARDS, Board, Row, assets, constant, districts, link, pushed, warnings
from boards.draw import Scope
from boards.influx import chosen, equal
from boards.looks import bridge, gas, lift, water
from boards.marks import JSON
from boards.standing import counts, heard, mirrored, opened, stood, unheard, worldly
from boards.vibration import choices, hours
from boards.words import DOMAINS, Language
from lifeline.model import Domain, Rule

FIRST: Final[dict[Domain, tuple[str, ...]]] = {  # readings that must come, or the domain is blind
    Domain.GAS: ("methane", "gas_pressure", "gas_flow"),
    Domain.WATER: ("water_pressure", "water_flow"),
    Domain.BRIDGE: ("strain", "deflection", "tilt", "frequency"),
    Domain.ELEVATOR: ("door", "motion", "floor"),
}


ZONE: Final = "Asia/Shanghai"  # whose midnights part the days


@dataclass(frozen=True)
class Look:
    """What a domain's board shows between how its assets stand and the list of those that are silent."""

    rows: Callable[[Scope], list[Row]]
    about: tuple[str, str]
    choices: Callable[[Language], list[JSON]] = lambda _: []  # variables of its own


def domain_board(domain: Domain, say: Language, rules: Sequence[Rule], basemap: str = "", database: str = "lifeline") -> Board:
    """database: of the readings; that of the hourly means is called so with `_1h` behind"""
    s = Scope(say, domain, rules)
    look = LOOKS[domain]
    placed = equal("domain", domain), chosen("district")
    head = Row(
        say("现状", "How it stands"),
        [*counts(placed, say), heard(say, domain, FIRST[domain], w=5), mirrored(say, w=4)],
    )
    where = Row(
        say("预警与位置", "Warnings, and where"), [worldly(say, placed, basemap, w=10, h=11), opened(say, s.where, w=14, h=11)]
    )
    tail = Row(
        say("级别与失联", "Levels, and what is silent"), [unheard(say, placed, w=9), stood(say, s.where, h=9) | wide(15, 9)]
    )
    return Board(
        str(domain),
        say.of(DOMAINS[domain]),
        say.of(look.about),
        [head, where, *look.rows(s), tail],
        variables=[districts(say, domain), assets(say, domain), constant("tz", ZONE), hours(database), *look.choices(say)],
        annotations=[warnings(say, s.where), pushed(say, ["lifeline", str(domain)])],
        links=navigation(say, str(domain)),
        tags=["lifeline", str(domain)],
    )


def wide(w: int, h: int) -> JSON:
    return {"gridPos": {"x": 0, "y": 0, "w": w, "h": h}}


def navigation(say: Language, here: str) -> list[JSON]:
    """Links to the other boards."""
    known = [("city", say("全市", "City")), *((str(d), say.of(DOMAINS[d])) for d in DOMAIN_BOARDS)]
    known.append(("pipeline", say("监测系统", "Pipeline")))
    return [link(title, name, say) for name, title in known if name != here]


LOOKS: Final[dict[Domain, Look]] = {
    Domain.GAS: Look(
        gas,
        (
            "窨井甲烷（%VOL，限值来自规则）、上升速度、压力、流量。",
            "Wells by %VOL with the rules' limits, how fast they rise, pressures, flows.",
        ),
    ),
    Domain.WATER: Look(
        water, ("压力与残差、夜间最小流量、水质、水锤。", "Pressures and their residuals, flow by night, quality, surges.")
    ),
    Domain.BRIDGE: Look(
        bridge,
        (
            "模态频率与温度、频谱、振动、荷载、变形。",
            "Modal frequencies with temperature, spectra, vibration, loads, deformation.",
        ),
        choices,
    ),
    Domain.ELEVATOR: Look(
        lift, ("困人、运行次数、开关门、平层、制动。", "Entrapments, trips, door cycles, levelling, brakes.")
    ),
}
