"""Who hears of what."""

from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from alerts import duty
from alerts.responsible import OWNER, SHIPPED, Matter, TableRefused, Tier, fits, load
from alerts.texts import HAZARDS
from lifeline.model import Domain, Kind, Level

ROOT = Path(__file__).parents[2]
HEAD = "domain,district,asset_type,hazard,kind,level,unit,role\n"


def matter(domain: str, hazard: str, district: str = "", kind: Kind = Kind.HAZARD, asset_type: str = "") -> Matter:
    return Matter(domain, district, asset_type, hazard, kind)


@pytest.mark.parametrize(
    ("pattern", "word", "so"),
    [
        ("", "gas", True),
        ("*", "gas", True),
        ("gas water", "water", True),
        ("gas water", "bridge", False),
        ("gas_*", "gas_overpressure", True),
        ("!biogas", "gas_overpressure", True),
        ("!biogas", "biogas", False),
        ("gas_* !gas_imbalance", "gas_imbalance", False),
        ("gas_* !gas_imbalance", "biogas", False),
        ("sewage", "", False),
    ],
)
def test_a_cell_names_words_and_globs_and_what_is_left_out(pattern: str, word: str, *, so: bool) -> None:
    assert fits(pattern, word) is so


def test_a_graver_level_is_told_to_more_and_to_all_who_hear_of_a_milder_one() -> None:
    table = load()
    for domain in Domain:
        for hazard in HAZARDS:
            heard: list[set[tuple[str, str]]] = [
                {(p.unit, p.role) for p in table.parts(matter(domain, hazard), tier)} for tier in Tier
            ]
            assert all(a <= b for a, b in pairwise(heard))
            assert heard[0], f"nobody hears of {hazard} of {domain} at BLUE"
            assert heard[-1] > heard[-2], f"nobody is left when RED {hazard} of {domain} is not answered"


def test_biogas_is_for_the_drains_until_it_is_grave_and_loads_of_a_bridge_for_the_traffic_police_too() -> None:
    table = load()
    assert table.departments(matter("gas", "biogas"), Level.YELLOW) == {"drainage", "housing"}
    assert table.departments(matter("gas", "biogas"), Level.ORANGE) >= {"drainage", "gas", "emergency"}
    assert table.departments(matter("bridge", "bridge_overload"), Level.BLUE) == {"bridge"}
    assert table.departments(matter("bridge", "bridge_overload"), Level.YELLOW) == {"bridge", "traffic"}


def test_a_ticket_is_for_the_owner_alone() -> None:
    assert load().departments(matter("gas", "stuck", kind=Kind.TICKET), Level.RED) == {"gas"}


def test_a_part_is_had_once_at_its_lowest_level(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEAD + "*,*,*,*,*,RED,city,leader\ngas,Fenglu,sewage,*,*,BLUE,city,leader\n", "utf-8")
    table = load(path)
    assert [p.tier for p in table.parts(matter("gas", "biogas", "Fenglu", asset_type="sewage"), Tier.BEYOND)] == [Tier.BLUE]
    assert [p.tier for p in table.parts(matter("gas", "biogas", "Longjie", asset_type="sewage"), Tier.BEYOND)] == [Tier.RED]


def test_everything_wrong_with_a_table_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEAD + "gsa,*,*,*,*,BLUE,owner,duty\n*,*,*,biogass,*,PURPLE,owner,\n*,*,*,*,*,RED,fyre,duty\n", "utf-8")
    with pytest.raises(TableRefused) as why:
        load(path, units=["fire"])
    assert str(why.value).splitlines() == [
        f"{path}:2: domain: there is no 'gsa'; did you mean 'gas'?",
        f"{path}:3: hazard: there is no 'biogass'; did you mean 'biogas'?",
        f"{path}:3: level: 'PURPLE' is none; write one of BLUE, YELLOW, ORANGE, RED, BEYOND",
        f"{path}:3: role: is empty",
        f"{path}:4: unit: there is no 'fyre'; did you mean 'fire'?",
    ]


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TableRefused, match="cannot be read"):
        load(tmp_path / "none.csv")


def test_the_shipped_table_names_every_part_in_both_languages() -> None:
    assert all(row.part.zh and row.part.en for row in load(SHIPPED).rows)


def test_the_citys_example_of_people_fills_every_part_of_the_shipped_table() -> None:
    people = duty.load(ROOT / "people.toml", ["duty", "record"], ZoneInfo("Asia/Shanghai")).people
    for row in load(SHIPPED).rows:
        if row.part.unit != OWNER:
            assert people.holders(row.part.unit, row.part.role), row.part
