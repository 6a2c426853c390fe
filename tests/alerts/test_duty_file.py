"""The file of people and rosters: the example is good, and every mistake is told with its line."""

import tomllib
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.duty import Duty, UnknownPerson, gaps, load
from alerts.duty.people import Role
from alerts.duty.sheet import HolidaySheet, LayerSheet, PersonSheet, RosterSheet, UnitSheet
from lifeline.build import ConfigRefused, keys
from lifeline.clock import parse
from lifeline.model import NS
from simulators.columns import OWNER

ROOT = Path(__file__).parents[2]
ZONE = ZoneInfo("Asia/Shanghai")
DAY = 86_400 * NS
MANUAL = (ROOT / "docs" / "duty.md").read_text("utf-8")
GOOD = """\
[units.gas]
zh = "燃气公司"
en = "Gas"
kind = "operator"
[units.gas.roles.duty]
zh = "值班员"
en = "officer"
[persons.wang]
zh = "王伟"
en = "Wang Wei"
unit = "gas"
roles = ["duty"]
contacts = { phone = "1" }
[[rosters]]
unit = "gas"
role = "duty"
[[rosters.layers]]
turns = ["wang"]
"""


def read(folder: Path, text: str, channels: tuple[str, ...] = ("phone",)) -> Duty:
    (folder / "people.toml").write_text(text, "utf-8")
    return load(folder / "people.toml", channels, ZONE)


def refusal(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        read(folder, text)
    return [p.removeprefix(f"{folder / 'people.toml'}:") for p in refused.value.problems]


@pytest.fixture(scope="module")
def example() -> Duty:
    """The example file, with the channels of the example configuration."""
    channels = tomllib.loads((ROOT / "lifeline.toml").read_text("utf-8"))["channels"]
    return load(ROOT / "people.toml", channels, ZONE)


def test_the_example_has_no_gap_for_two_years(example: Duty) -> None:
    start = parse("2026-11-30T09:00:00+08:00")
    for unit, role in example.rosters.roles:
        assert gaps.gaps(example.rosters, unit, role, start, start + 730 * DAY) == []
    assert gaps.troubles(example.rosters, start, start + 60 * DAY) == []


def test_the_example_knows_every_owner_of_the_demo_city(example: Duty) -> None:
    assert {u.en for u in example.people.units.values()} >= set(OWNER.values())


def test_the_example_has_two_analysts_at_every_hour_and_all_eight_in_turn(example: Duty) -> None:
    start = parse("2026-12-01T00:00:00+08:00")
    shifts = example.rosters.shifts("centre", "analyst", start, start + 4 * DAY)
    assert [len(s.persons) for s in shifts] == [2] * 12
    assert len({i for s in shifts for i in s.persons}) == 8


@pytest.mark.parametrize(
    ("at", "on"),
    [
        ("2026-12-01T12:00:00+08:00", ["yang-jun"]),
        ("2026-12-01T22:00:00+08:00", ["yang-jun", "deng-chao"]),
        ("2026-12-08T12:00:00+08:00", ["chen-hao"]),
        ("2027-01-01T07:00:00+08:00", ["chen-hao", "deng-chao"]),
        ("2027-01-01T12:00:00+08:00", ["yang-jun"]),  # the holiday's own turn
        ("2027-01-02T12:00:00+08:00", ["chen-hao"]),
    ],
)
def test_the_example_says_who_is_on_duty_at_the_gas_company(example: Duty, at: str, on: list[str]) -> None:
    assert [p.id for p in example.on_duty("gas", "duty", parse(at))] == on


def test_a_person_has_a_name_in_both_languages_and_an_address_for_each_channel(example: Duty) -> None:
    p = example.people.person("chen-hao")
    assert (p.zh, p.en, p.unit, dict(p.contacts)) == ("陈浩", "Chen Hao", "gas", {"duty": "+86-000-0000-0012"})
    with pytest.raises(UnknownPerson):
        example.people.person("nobody")


def test_addresses_do_not_show_in_what_is_logged(example: Duty) -> None:
    assert "0012" not in repr(example.people.person("chen-hao"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[units.gas]", "[unit.gas]", "1: unit: no such key; did you mean 'units'?"),
        ('kind = "operator"', 'kind = "operater"', "4: units.gas.kind: must be one of 'operator', 'owner', "),
        ('unit = "gas"\nroles', 'unit = "gaz"\nroles', "11: persons.wang.unit: 'gaz' is no unit; did you mean 'gas'?"),
        ('roles = ["duty"]', 'roles = ["dutty"]', "12: persons.wang.roles: 'dutty' is no role of gas; did you mean 'duty'?"),
        ("phone = ", "fone = ", "13: persons.wang.contacts: 'fone' is no channel; did you mean 'phone'?"),
        ('phone = "1"', 'phone = " "', "13: persons.wang.contacts.phone: is empty; leave it out"),
        ('turns = ["wang"]', 'turns = ["wong"]', "18: rosters[0].layers[0].turns: 'wong' is no person; did you mean 'wang'?"),
        (
            'turns = ["wang"]',
            "turns = []",
            "17: rosters[0].layers[0]: turns: is missing; say who is on duty, or name a calendar",
        ),
        ('turns = ["wang"]', "turns = [[]]", "17: rosters[0].layers[0]: turns: names nobody in one of them"),
        ('turns = ["wang"]', 'turns = ["wang", "wang"]', "17: rosters[0].layers[0]: every: is missing; "),
        ('turns = ["wang"]', 'turns = ["wang"]\nevery = "1d"', "17: rosters[0].layers[0]: start: is missing; "),
        ('turns = ["wang"]', 'turns = ["wang"]\nevery = "5m"', "19: rosters[0].layers[0].every: must be whole minutes, 15 "),
        ('turns = ["wang"]', 'turns = ["wang"]\ndays = ["MO"]', "19: rosters[0].layers[0].days[0]: must be one of 'MON', "),
        ('turns = ["wang"]', 'turns = ["wang"]\nhours = ["25:00-08:00"]', "19: rosters[0].layers[0].hours[0]: must be a time "),
        ('turns = ["wang"]', 'turns = ["wang"]\nhours = ["8-17"]', "19: rosters[0].layers[0].hours[0]: must be a time "),
        ('turns = ["wang"]', 'turns = ["wang"]\nhours = ["08:00"]', "19: rosters[0].layers[0].hours[0]: must be hours "),
        ('turns = ["wang"]', 'turns = ["wang"]\ndays = ["holidays"]', "19: rosters[0].layers[0].days: holidays are meant"),
        ('turns = ["wang"]', 'turns = ["wang"]\nstart = "2026-02-30"', "19: rosters[0].layers[0].start: must be a date such "),
        (
            'turns = ["wang"]',
            'turns = ["wang"]\nstart = "2026-02-20"\nuntil = "2026-02-20"',
            "17: rosters[0].layers[0]: until: is not later than start",
        ),
        ('turns = ["wang"]', 'calendar = "duty.ics"', "18: rosters[0].layers[0].calendar: "),
        ('role = "duty"\n[[', 'role = "duty"\nholidays = "china"\n[[', "17: rosters[0].holidays: 'china' is no calendar; "),
        (
            'role = "duty"\n[[',
            'role = "duty"\nzone = "Asia/Shanghay"\n[[',
            "17: rosters[0].zone: 'Asia/Shanghay' is no time zone; did you mean 'Asia/Shanghai'?",
        ),
        ('en = "officer"', 'en = "officer"\nfallback = ["wong"]', "8: units.gas.roles.duty.fallback: 'wong' is no person"),
        ('en = "officer"', 'en = "officer"\nchannels = ["sms"]', "8: units.gas.roles.duty.channels: 'sms' is no channel"),
        ('en = "officer"', 'en = "officer"\nleast = -1', "8: units.gas.roles.duty.least: must be from 0 to 99, not -1"),
        ("[persons.wang]", '[persons."wang.wei"]', "8: persons.wang.wei: a name here is one word of "),
        ("[units.gas]", "zone = 'Asia'\n[units.gas]", "1: zone: 'Asia' is no time zone"),
        ("[units.gas]", "zone = '../x'\n[units.gas]", "1: zone: '../x' is no time zone"),
        ("[units.gas]", "zone = 8\n[units.gas]", "1: zone: must be text in quotes"),
        ("[[rosters]]", "[[rosters", "14: is not TOML: "),
        (
            "[units.gas]",
            '[holidays.x]\noff = ["2026-05-03/2026-05-01"]\n[units.gas]',
            "2: holidays.x.off[0]: must end after it begins",
        ),
        (
            "[units.gas]",
            '[holidays.x]\noff = ["2026-05-03"]\nwork = ["2026-05-03"]\n[units.gas]',
            "1: holidays.x: work: 2026-05-03 stands in off too",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert GOOD.count(old) == 1
    assert any(p.startswith(said) for p in refusal(tmp_path, GOOD.replace(old, new))), refusal(tmp_path, GOOD.replace(old, new))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = GOOD.replace('"operator"', '"x"').replace("phone = ", "fone = ").replace('turns = ["wang"]', 'turns = ["wong"]')
    assert [p.split(":")[0] for p in refusal(tmp_path, text)] == ["4", "13", "18"]


def test_a_role_that_nobody_fills_is_refused_unless_it_may_stand_empty(tmp_path: Path) -> None:
    empty = GOOD.replace('en = "officer"', 'en = "officer"\n[units.gas.roles.leader]\nzh = "经理"\nen = "manager"')
    assert refusal(tmp_path, empty) == [
        "8: units.gas.roles.leader: nobody fills it; give the role to a person, or write least = 0"
    ]
    assert read(tmp_path, empty.replace('en = "manager"', 'en = "manager"\nleast = 0')).on_duty("gas", "leader", 0) == []


def test_a_roster_names_only_those_who_have_the_role(tmp_path: Path) -> None:
    other = GOOD.replace('roles = ["duty"]', "roles = []")
    assert "18: rosters[0].layers[0].turns: wang does not have the role gas/duty" in refusal(tmp_path, other)


def test_a_role_has_one_roster(tmp_path: Path) -> None:
    twice = GOOD + GOOD[GOOD.index("[[rosters]]") :]
    assert refusal(tmp_path, twice) == ["19: rosters[1]: gas/duty has its roster already, in rosters[0]"]


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=300))
def test_junk_is_refused_and_never_crashes(tmp_path_factory: pytest.TempPathFactory, junk: str) -> None:
    with suppress(ConfigRefused):
        assert read(tmp_path_factory.getbasetemp(), junk).people.units == {}


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["gas", "zh", "unit", "layers", "roles"]), inner)
    ),
)


@pytest.mark.parametrize("section", ["zone", "units", "persons", "holidays", "rosters"])
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_a_section_of_any_shape_is_read_or_each_problem_says_where_and_why(section: str, data: st.DataObject) -> None:
    from alerts.duty.load import _Sheet

    sheet = _Sheet("", Path("x.toml"), frozenset({"phone"}), ZONE)
    sheet.tables = {section: data.draw(SHAPES)}
    sheet.problems.clear()
    for name, cls in (("units", UnitSheet), ("persons", PersonSheet), ("holidays", HolidaySheet)):
        setattr(sheet, name, sheet._entries(name, cls))
    sheet.rosters = sheet._rosters()
    sheet.duty()
    assert [p for p in sheet.problems if not p.startswith(section) or ": " not in p] == []


@pytest.mark.parametrize("cls", [UnitSheet, Role, PersonSheet, HolidaySheet, RosterSheet, LayerSheet], ids=lambda c: c.__name__)
def test_every_key_is_described(cls: type) -> None:
    assert [k for k in keys(cls) if f"`{k}`" not in MANUAL] == []


def test_the_manuals_examples_are_good(tmp_path: Path) -> None:
    blocks = [part.split("```")[0] for part in MANUAL.split("```toml\n")[1:]]
    whole = "\n".join(b for b in blocks if "[desk]" not in b)
    duty = read(tmp_path, whole, ("phone", "sms"))
    assert {len(duty.on_duty(*at, parse("2027-02-06T23:00:00+08:00"))) for at in duty.rosters.roles} <= {1, 2}
