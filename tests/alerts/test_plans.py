"""Plans and stores: every hazard has one in both languages, and the nearest help is told with it."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

import detectors
from alerts.api import app
from alerts.desk import Desk, Settings
from alerts.plans import stores
from alerts.plans.plan import FOLDER, GROUPS, OF, plan, read
from alerts.plans.stores import KINDS, Place, StoresRefused, nearest
from alerts.queries import listed
from alerts.route import Route
from alerts.tables import Database
from alerts.texts import HAZARDS
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS, Kind, Level
from tests.alerts.conftest import Say
from tests.tokens import BEARER, TOKEN

AT = 1_767_000_100 * NS
EXAMPLE = Path(__file__).parents[2] / "stores.csv"
PARTS = ("最初五分钟", "谁", "关闭", "测量", "撤离", "结束")
PARTS_EN = ("First five minutes", "Who", "What to close", "How to measure", "When to evacuate", "When it is over")
OURS = {"duty_gap", "pipeline_failing", "pipeline_silent"}  # hazards that the desk itself finds


def test_every_hazard_has_a_plan_and_every_plan_a_hazard_that_is_named() -> None:
    hazards = {r.hazard for r in detectors.rules() if r.kind == Kind.HAZARD} | OURS
    assert hazards <= set(OF)
    assert set(OF) <= set(HAZARDS)
    assert sum(map(len, GROUPS.values())) == len(OF)
    assert {p.stem for p in FOLDER.glob("*.md")} == set(GROUPS)
    assert plan("nobody named it").group == "unclear"


@pytest.mark.parametrize("group", GROUPS)
def test_a_plan_has_the_same_six_parts_in_both_languages(group: str) -> None:
    found = read(group)
    for text, parts in ((found.zh, PARTS), (found.en, PARTS_EN)):
        assert text.startswith("# ")
        assert tuple(re.findall(r"^\*\*(.+)\*\*$", text, re.MULTILINE)) == parts
        assert all("\n- " in part for part in re.split(r"^\*\*.+\*\*$", text, flags=re.MULTILINE)[1:])
    assert re.search(r"[\u4e00-\u9fff]", found.en) is None
    numbers = [sorted(set(re.findall(r"\d+\.\d+|\d{3,}", text))) for text in (found.zh, found.en)]
    assert numbers[0] == numbers[1]  # both say the same figures


def test_the_nearest_of_each_kind_comes_with_its_distance() -> None:
    places = [Place("team", f"队{i}", f"team {i}", 24.67 + i / 100, 102.91, "0", "") for i in (3, 1, 2)]
    places += [Place("shelter", "场", "shelter", 24.67, 102.91, "0", "")]
    found = nearest(places, 24.67, 102.91)
    assert [(p["kind"], p["en"], p["distance_m"]) for p in found] == [("shelter", "shelter", 0), ("team", "team 1", 1112)]
    assert found[1]["kind_zh"] == "抢险队伍"
    assert len(nearest(places, 24.67, 102.91, most=2)) == 3


def test_the_example_is_read_and_its_numbers_are_nobodys() -> None:
    known = stores.load(EXAMPLE)
    assert {p.kind for p in known} == set(KINDS)
    assert all(p.phone.startswith("0000-") and "示例" in p.zh for p in known)


def test_everything_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "stores.csv"
    path.write_text("kind,zh,en,lat,lon,phone,has\nstores,库,store,24,102,1,x\nteam,队,team,nan,200,,x\n", "utf-8")
    with pytest.raises(StoresRefused) as why:
        stores.load(path)
    said = str(why.value)
    for part in (
        "stores.csv:2: kind: there is no 'stores'",
        "stores.csv:3: lat:",
        "stores.csv:3: lon:",
        "stores.csv:3: phone:",
    ):
        assert part in said
    with pytest.raises(StoresRefused, match="cannot be read"):
        stores.load(tmp_path / "none.csv")


def test_a_warning_carries_its_plan_and_the_nearest_help(database: Database, catalog: Catalog, say: Say) -> None:
    known = stores.load(EXAMPLE)
    settings = Settings("c", token=TOKEN)
    desk = Desk.of(settings, database, catalog, [Route("phone")], {}, FastClock(AT), stores=known)
    desk.take([say(Level.ORANGE)])
    warning = listed(database, live=True)[0].id

    async def work() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app(desk))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk", headers=BEARER) as http:
            paths = (f"{warning}/plan", f"{warning}/plan?language=zh", f"{warning}/plan?language=fr", "none/plan")
            return [await http.get(f"/api/v1/warnings/{path}") for path in paths]

    both, one, wrong, none = asyncio.run(work())
    told = both.json()
    assert (told["plan"], told["zh_name"]) == ("gas_leak", "可燃气体聚集")
    assert (told["zh"], told["en"]) == (read("gas_leak").zh, read("gas_leak").en)
    assert [p["kind"] for p in told["near"]] == ["store", "shelter", "team"]
    assert told["near"][0]["distance_m"] < 1000
    assert ("zh" in one.json(), "en" in one.json()) == (True, False)
    assert [wrong.status_code, none.status_code] == [422, 404]
