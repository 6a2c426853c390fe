"""The commands `lifeline roster …`, as a user types them."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from icalendar import Calendar
from typer.testing import CliRunner, Result

from bench.receiver import Receiver
from lifeline.clock import iso, now
from lifeline.model import NS
from lifeline.words import Failed, Unusable
from pipeline.check import summary
from pipeline.cli import app, configured
from pipeline.desk import made

ROOT = Path(__file__).parents[2]
HOUR = 3600 * NS
SETTINGS: Final = """\
[city]
name = "chengjiang"
catalog = "catalog.csv"
data = "data"
[desk]
people = "people.toml"
[channels.duty]
type = "log"
"""


@pytest.fixture
def city(tmp_path: Path) -> Path:
    (tmp_path / "lifeline.toml").write_text(SETTINGS, "utf-8")
    (tmp_path / "people.toml").write_bytes((ROOT / "people.toml").read_bytes())
    (tmp_path / "catalog.csv").write_bytes((ROOT / "tests" / "ingest" / "catalog.csv").read_bytes())
    return tmp_path


def run(city: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["roster", *words, "--config", str(city / "lifeline.toml")])


def said(city: Path, *words: str) -> Any:
    done = run(city, *words, "--json")
    assert done.exit_code in {0, 1}, done.output
    return json.loads(done.stdout)


def span(start: float, end: float) -> tuple[str, str, str, str]:
    """Hours from now on, as options."""
    return "--from", iso(now() + round(start * HOUR)), "--to", iso(now() + round(end * HOUR))


def on(city: Path) -> list[str]:
    (duty,) = (s for s in said(city, "show", "water") if s["role"] == "duty")
    return [p["id"] for p in duty["now"]]


SIGNED: Final = ("--by", "he-ping", "--reason", "ill")


def test_everybody_on_duty_is_shown(city: Path) -> None:
    assert len(said(city, "show")) == 17
    done = run(city, "show")
    assert done.exit_code == 0
    assert "澄江供水公司" in done.output.replace("\n", "") or "water" in done.output
    one = said(city, "show", "water", "duty", "--days", "21")
    assert {len(s["persons"]) for s in one["shifts"]} == {1}
    assert len(one["shifts"]) == 4
    assert "he-ping" in run(city, "show", "water", "duty", "--days", "21").output


def test_somebody_takes_over_is_in_the_history_and_goes_again(city: Path) -> None:
    (before,) = on(city)
    other = {"he-ping": "luo-xin", "luo-xin": "song-yan", "song-yan": "he-ping"}[before]
    entered = said(city, "override", "water", "duty", other, *span(-1, 1), *SIGNED)
    assert on(city) == [other]
    assert run(city, "cancel", str(entered["id"]), *SIGNED).exit_code == 0
    assert on(city) == [before]
    (kept,) = said(city, "history", "water", "duty")
    assert (kept["person"], kept["cancelled_by"]) == (other, "he-ping")
    assert other in run(city, "history", "water", "duty").output


def test_a_roster_without_gaps_is_well_and_one_with_gaps_is_not(city: Path) -> None:
    good = run(city, "check", "--days", "30")
    assert (good.exit_code, "nothing wrong" in good.output) == (0, True)
    said(city, "override", "water", "duty", "", *span(24, 48), *SIGNED)
    bad = run(city, "check", "--days", "30")
    assert (bad.exit_code, "too few on duty" in bad.output) == (1, True)
    assert [(t["flaw"], t["unit"]) for t in said(city, "check")] == [("gap", "water")]


def test_double_duty_is_told_and_is_no_failure(city: Path) -> None:
    said(city, "override", "water", "duty", "gao-yuan", *span(24, 24 * 29), *SIGNED)
    done = run(city, "check", "--days", "30")
    assert (done.exit_code, "on duty in two roles" in done.output) == (0, True)


def test_a_calendar_goes_out_and_comes_in_from_a_file_or_an_address(city: Path) -> None:
    file = city / "water.ics"
    assert run(city, "export", "water", "duty", "--days", "30", "--out", str(file)).exit_code == 0
    people = {str(e["X-LIFELINE-PERSON"]) for e in Calendar.from_ical(file.read_bytes()).walk("VEVENT")}
    assert people == {"he-ping", "luo-xin", "song-yan"}
    before = said(city, "show", "water", "duty", "--days", "20")["shifts"]
    done = run(city, "import", "water", "duty", str(file), "--days", "40", *SIGNED)
    assert (done.exit_code, "0 cancelled" in done.output) == (0, True)
    after = said(city, "show", "water", "duty", "--days", "20")["shifts"]
    assert [s["persons"] for s in after] == [s["persons"] for s in before]
    alone = run(city, "export", "--person", "luo-xin")
    assert alone.stdout.count("BEGIN:VEVENT") >= 4


def test_an_address_that_gives_no_calendar_is_a_failure(city: Path) -> None:
    with Receiver() as nobody:
        for source in (nobody.url, str(city / "none.ics"), "http://127.0.0.1:9/x.ics"):
            done = run(city, "import", "water", "duty", source, *SIGNED)
            assert isinstance(done.exception, Failed | Unusable), source


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "walter"), "there is no unit 'walter'"),
        (("show", "water", "night"), "there is no role water/night"),
        (("cancel", "7", *SIGNED), "there is no override 7"),
        (("export",), "name a unit and its role, or --person"),
        (("export", "--person", "nobody"), "nobody has the id 'nobody'"),
        (("override", "water", "duty", "x", "--from", "soon", "--to", "late", *SIGNED), "soon"),
    ],
)
def test_what_is_not_there_is_said(city: Path, words: tuple[str, ...], why: str) -> None:
    done = run(city, *words)
    assert isinstance(done.exception, Unusable)
    assert why in str(done.exception)


def test_a_note_is_shown_with_the_roster(city: Path) -> None:
    assert run(city, "handover", "water", "duty", "3 号阀正在检修", "--by", "he-ping").exit_code == 0
    assert "3 号阀正在检修" in run(city, "show", "water", "duty").output


def test_a_city_without_people_says_what_to_write(city: Path) -> None:
    (city / "lifeline.toml").write_text(SETTINGS.replace('people = "people.toml"', ""), "utf-8")
    done = run(city, "show")
    assert isinstance(done.exception, Unusable)
    assert 'people = "people.toml"' in str(done.exception)


def test_the_desk_of_a_configuration_looks_after_its_rosters(city: Path) -> None:
    desk = made(configured(city / "lifeline.toml"))
    assert desk.guard is not None
    assert len(desk.guard.duty.rosters.roles) == 17
    assert desk.guard.duty.rosters.database is desk.database
    desk.database.close()


def test_check_config_reads_people_too(city: Path) -> None:
    assert "36, 7 rosters" in summary(configured(city / "lifeline.toml"))
    (city / "people.toml").write_text("x = 1\n[units]\na = 1", "utf-8")
    with pytest.raises(Unusable, match=r"people.toml:1: x: no such key(.|\n)*people.toml:3: units.a: must be a table"):
        summary(configured(city / "lifeline.toml"))
