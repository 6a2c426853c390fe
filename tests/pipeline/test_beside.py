"""What passive rules would have raised, beside the active ones: counted by a plain loop too."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alerts.book import Book
from alerts.queries import listed
from alerts.tables import Database
from lifeline.config import Config
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id
from lifeline.words import Unusable
from pipeline.beside import run
from tests import town
from tests.town import START

SEEN = Evidence([], [], "1", {}, "1")
NOON = START // (86_400 * NS) * 86_400 * NS + 4 * 3600 * NS  # 12:00 in Shanghai


def said(rule: str, at: float, new: str, old: str = "NORMAL", asset: str = "well-0", **more: Any) -> Change:
    """A change of a rule, so many seconds after noon; hazards unless it says otherwise."""
    t, device = NOON + round(at * NS), more.pop("device", "laser-0")
    key = f"{device}/ch4"
    facts: dict[str, Any] = {
        "id": change_id(rule, key, t, Level[new]), "t": t, "city": "town", "district": "Fenglu", "domain": Domain.GAS,
        "asset": asset, "device": device, "key": key, "quantity": "methane", "rule": rule, "hazard": "gas_accumulation",
        "kind": Kind.HAZARD, "mode": Mode.PASSIVE if rule.endswith("shift") else Mode.ACTIVE, "hard": False, "old": old,
        "new": new, "score": 1.3, "lat": 24.67, "lon": 102.91, "owner": "gas company", "evidence": SEEN,
    }  # fmt: skip
    return Change(**(facts | more))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = town.configured(tmp_path)
    made.city.data.mkdir()
    return made


def book(config: Config, *changes: Change) -> Book:
    made = Book(Database(str(config.desk.database)), [])
    made.take(changes, NOON + 86_400 * NS)
    return made


def report(config: Config, begin: float = -3600, end: float = 7 * 86_400, *patterns: str, within: float = 3600) -> Any:
    said = run(config, NOON + round(begin * NS), NOON + round(end * NS), patterns, within, as_json=True)
    return json.loads(said)


def row(whole: Any, rule: str) -> Any:
    return next(r for r in whole["rules"] if r["rule"] == rule)


SHIFT, LIMIT, RISE = "gas.methane.shift", "gas.methane.limit", "gas.methane.rise"


def test_a_passive_rule_that_was_earlier_is_said_to_be_first(config: Config) -> None:
    book(config, said(SHIFT, 0, "BLUE"), said(LIMIT, 900, "YELLOW"), said(SHIFT, 1200, "NORMAL", "BLUE"))
    whole = report(config)
    passive, active = row(whole, SHIFT), row(whole, LIMIT)
    assert (passive["episodes"], passive["first"], passive["lead_s"], passive["unconfirmed"]) == (1, 1, 900.0, 0)
    assert (active["episodes"], active["first"], active["unconfirmed"]) == (1, 0, 1)  # a passive rule confirms nothing
    assert [(e["rule"], e["by"], e["lead_s"]) for e in whole["first"]] == [(SHIFT, [LIMIT], 900.0)]


def test_one_that_came_later_was_not_first_and_one_alone_was_confirmed_by_nobody(config: Config) -> None:
    book(
        config, said(LIMIT, 0, "YELLOW"), said(SHIFT, 60, "BLUE"), said(SHIFT, 60, "BLUE", asset="well-1", device="laser-1")
    )  # fmt: skip
    passive = row(report(config), SHIFT)
    assert (passive["episodes"], passive["assets"], passive["first"], passive["later"], passive["unconfirmed"]) == (
        2,
        2,
        0,
        1,
        1,
    )
    assert [e["asset"] for e in report(config)["unconfirmed"]] == ["well-1"]


@pytest.mark.parametrize(("within", "first"), [(3600.0, 1), (600.0, 0)])
def test_another_rule_may_confirm_it_soon_after_its_end(config: Config, within: float, first: int) -> None:
    book(config, said(SHIFT, 0, "BLUE"), said(SHIFT, 60, "NORMAL", "BLUE"), said(LIMIT, 1200, "YELLOW"))
    assert row(report(config, within=within), SHIFT)["first"] == first


def test_a_person_who_acknowledges_confirms_too(config: Config) -> None:
    made = book(config, said(LIMIT, 0, "YELLOW"))
    (case,) = listed(made.database, live=True)
    made.acknowledge(case.id, "Li", "smelt it", NOON + 100 * NS)
    active = row(report(config), LIMIT)
    assert (active["answered"], active["unconfirmed"]) == (1, 0)


def test_series_of_one_asset_that_stand_together_are_one_episode(config: Config) -> None:
    two = {"device": "laser-9"}
    book(
        config, said(SHIFT, 0, "BLUE"), said(SHIFT, 10, "YELLOW", **two), said(SHIFT, 20, "NORMAL", "BLUE"),
        said(SHIFT, 30, "NORMAL", "YELLOW", **two), said(SHIFT, 40, "BLUE"),
    )  # fmt: skip
    passive = row(report(config), SHIFT)
    assert (passive["episodes"], passive["levels"]) == (2, {"YELLOW": 1, "BLUE": 1})


def test_a_lone_sensor_is_held_down_as_at_the_desk(config: Config) -> None:
    book(config, said(SHIFT, 0, "RED"))
    assert row(report(config), SHIFT)["levels"] == {"YELLOW": 1}


def test_what_stood_before_the_period_is_not_new_but_confirms(config: Config) -> None:
    book(config, said(LIMIT, -7200, "BLUE"), said(SHIFT, 0, "BLUE"), said(LIMIT, 60, "YELLOW", "BLUE"))
    whole = report(config)
    assert LIMIT not in {r["rule"] for r in whole["rules"]}
    assert (row(whole, SHIFT)["later"], row(whole, SHIFT)["unconfirmed"]) == (1, 0)


def test_days_are_those_of_the_city(config: Config) -> None:
    evening = 12 * 3600  # midnight in Shanghai
    book(config, said(SHIFT, evening - 1, "BLUE"), said(SHIFT, evening, "NORMAL", "BLUE"), said(SHIFT, evening + 1, "BLUE"))
    assert list(row(report(config), SHIFT)["by_day"].values()) == [1, 1]


def test_passive_rules_that_were_quiet_are_listed_and_rules_can_be_chosen(config: Config) -> None:
    book(config, said(LIMIT, 0, "YELLOW"))
    assert row(report(config), SHIFT)["episodes"] == 0
    assert {r["rule"] for r in report(config, -1, 100, "gas.methane.*")["rules"]} == {SHIFT, LIMIT}
    with pytest.raises(Unusable, match="no rule is called so"):
        report(config, -1, 100, "gas.methan")
    with pytest.raises(Unusable, match="--from must be before --to"):
        report(config, 1, 0)


def test_it_can_be_read_at_a_terminal(config: Config) -> None:
    book(config, said(SHIFT, 0, "BLUE"), said(LIMIT, 900, "YELLOW"), said(SHIFT, 60, "BLUE", asset="well-1", device="laser-1"))
    text = run(config, NOON - NS, NOON + 86_400 * NS, [], 3600.0, as_json=False)
    assert "passive, and first:" in text
    assert "well-0  gas_accumulation  BLUE, 900 s before gas.methane.limit" in text
    assert "passive, and nobody confirmed:" in text


def test_a_town_is_counted_as_a_plain_loop_counts_it(tmp_path: Path) -> None:
    watch = town.watched(tmp_path)
    watch.judge(town.entries(town.life(3, 80), 1))
    found = watch.courier.unsent()
    book(watch._config, *found)
    whole = json.loads(run(watch._config, START - NS, START + 3600 * NS, [], 0.0, as_json=True))
    assert {(r["rule"], r["mode"]): r["episodes"] for r in whole["rules"] if r["episodes"]} == counted(found)


def counted(changes: list[Change]) -> Counter[tuple[str, str]]:
    """Rises of a rule at an asset from nothing."""
    stands: dict[tuple[str, str, str], set[str]] = {}
    count: Counter[tuple[str, str]] = Counter()
    for c in sorted(changes, key=lambda c: c.t):
        mine = stands.setdefault((c.rule, c.asset, c.mode), set())
        if c.new == "NORMAL":
            mine.discard(c.key)
        elif c.key not in mine:
            count[c.rule, c.mode.value] += not mine
            mine.add(c.key)
    return count
