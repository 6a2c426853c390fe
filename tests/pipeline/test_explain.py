"""Why a warning was given: told again by the same readings, or what stands against it. The whole chain: test_live.py."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import detectors
from alerts.book import Book
from alerts.queries import listed
from alerts.tables import Database
from lifeline.config import Config
from lifeline.model import NS, Domain
from lifeline.words import Unusable
from pipeline.explain import run
from pipeline.receive import Receive
from pipeline.watch import Watch
from tests import town
from tests.panel import Apart, rule
from tests.town import START, Said


class City:
    """A town that has lived: its journal, lake and desk."""

    def __init__(self, folder: Path, seconds: list[list[Said]]) -> None:
        self.folder = folder
        self.config: Config = town.configured(folder)
        receive = Receive(self.config)
        for s, said in enumerate(seconds):
            receive.take([part for message in said for part in message], START + s * NS + NS // 2)
        watch = Watch(self.config)
        while watch.turn():
            pass
        watch.flush(wait=True)
        self.desk = Database(str(self.config.desk.database))
        Book(self.desk, []).take(watch.courier.unsent(), START + len(seconds) * NS)

    def explain(self, name: str, **other: Any) -> dict[str, Any]:
        given = {"rules": None, "before": "", "source": "journal", "lang": "both", "png": None, "as_json": True, **other}
        return dict(json.loads(run(self.config, name, **given)))

    def ids(self) -> list[str]:
        """Two warnings of each hazard."""
        found: dict[str, list[str]] = {}
        for case in listed(self.desk, live=False):
            found.setdefault(case.hazard, []).append(case.id)
        return [name for some in found.values() for name in some[:2]]


def leak(seconds: int = 60, onset: int = 30, well: int = 0, height: float = 6.0) -> list[list[Said]]:
    """Two wells; gas rises in one of them, and trembles, as gas does. height [%VOL]"""

    def level(s: int) -> float:
        return height - 0.01 * ((s - onset + 1) % 2) if s >= onset else 0.1

    return [[town.methane(well, START + s * NS, level(s)), town.methane(5, START + s * NS, 0.1)] for s in range(seconds)]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """To be read only."""
    return City(tmp_path_factory.mktemp("city"), leak())


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A minute and more of all domains; to be read only."""
    return City(tmp_path_factory.mktemp("lively"), town.life(3, 80))


@pytest.fixture
def fading(tmp_path: Path) -> City:
    return City(tmp_path, leak())


WELL = "well-0/gas_accumulation"


@pytest.mark.parametrize("source", ["journal", "lake"])
def test_warnings_of_every_kind_are_given_again_by_its_readings(lively: City, source: str) -> None:
    found = {name: lively.explain(name, source=source) for name in lively.ids()}
    assert {said["warning"]["domain"] for said in found.values()} == {"gas", "water", "elevator", "bridge"}
    assert {said["warning"]["kind"] for said in found.values()} == {"hazard", "ticket"}
    if source == "journal":  # the lake does not know what was late; only the journal promises the very instants
        assert {name: said["differences"] for name, said in found.items() if not said["same"]} == {}
    levels = {n: ([x["level"] for x in s["steps"]], [x["level"] for x in s["replay"]["steps"]]) for n, s in found.items()}
    assert {n: pair for n, pair in levels.items() if pair[0] != pair[1]} == {}


def test_it_names_readings_limits_and_scores(city: City) -> None:
    said = city.explain(WELL)
    assert said["limits"]["gas.methane.limit"]["bounds"]["RED"] == 5.0
    (limit,) = [s for s in said["replay"]["scores"] if (s["rule"], s["key"]) == ("gas.methane.limit", "laser-0/ch4")]
    assert (limit["peak"], limit["level"]) == (pytest.approx(12.0), "RED")
    assert {s["key"] for s in said["replay"]["scores"]} == {"laser-0/ch4"}
    kept = said["replay"]["readings"]["laser-0/ch4"]
    assert (kept["unit"], kept["value"][29], kept["value"][30]) == ("%VOL", 0.1, 5.99)
    assert said["steps"][0]["voices"][0]["key"] == "laser-0/ch4"


def test_it_is_said_in_both_languages(city: City) -> None:
    given: dict[str, Any] = {"rules": None, "before": "", "source": "auto", "png": None, "as_json": False}
    zh, en, both = (run(city.config, WELL, lang=lang, **given) for lang in ("zh", "en", "both"))
    assert "同样的读数给出同样的等级" in zh
    assert "the same readings give the same levels" in en
    assert "one sensor, over a limit that needs no second" in en
    assert not re.search(r"[一-鿿]", en)
    assert both == f"{zh}\n\n{en}"


def test_it_is_drawn(city: City, tmp_path: Path) -> None:
    city.explain(WELL, png=tmp_path / "well.png")
    assert (tmp_path / "well.png").read_bytes().startswith(b"\x89PNG")
    for wrong in (tmp_path / "well.svg", tmp_path / "nowhere" / "well.png"):
        with pytest.raises(Unusable, match=r"ends in \.png"):
            city.explain(WELL, png=wrong)


def test_the_beginning_of_an_id_is_enough_if_no_other_begins_so(city: City) -> None:
    (name,) = {case.id for case in listed(city.desk, live=False) if case.hazard == "gas_accumulation"}
    assert city.explain(name[:8])["warning"]["id"] == city.explain(name)["warning"]["id"] == name


@pytest.mark.parametrize("name", ["0000000000000000", "well-0/entrapment", "nothing", "%"])
def test_a_warning_that_is_not_there_is_refused_with_where_to_look(city: City, name: str) -> None:
    with pytest.raises(Unusable, match=r"no such warning.*ASSET/HAZARD"):
        city.explain(name)


def test_several_that_fit_are_named(tmp_path: Path) -> None:
    lived = City(tmp_path, [a + b for a, b in zip(leak(), leak(well=1), strict=True)])
    with pytest.raises(Unusable, match="several ids begin so"):
        lived.explain("")


def test_a_city_without_a_desk_is_told_where_it_was_looked_for(tmp_path: Path) -> None:
    config = town.configured(tmp_path)
    with pytest.raises(Unusable, match=r"desk\.db.*data ="):
        run(config, WELL, rules=None, before="", source="auto", lang="en", png=None, as_json=False)
    assert not (config.city.data / "desk.db").exists()


def test_other_rules_are_said_to_be_others(city: City, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(city.folder / "rules", other)
    gas = (other / "gas.toml").read_text("utf-8")
    block = re.search(r'\[\[rule\]\]\nid = "gas\.methane\.limit"\n.*?(?=\n\[\[rule\]\])', gas, re.DOTALL)
    assert block
    higher = "enter = { BLUE = 5.0, YELLOW = 7.0, ORANGE = 8.0, RED = 9.0 }"
    raised = re.sub(r"^enter = .*$", higher, block[0], flags=re.MULTILINE)
    (other / "gas.toml").write_text(gas.replace(block[0], raised), "utf-8")
    said = city.explain(WELL, rules=other)
    assert said["same"] is False
    assert "RED at its gravest then, YELLOW now" in [d["en"] for d in said["differences"]]
    (reason,) = [r["en"] for r in said["reasons"] if r["what"] == "rule"]
    assert reason.startswith("gas.methane.limit: limits were BLUE 0.5,")
    (other / "gas.toml").write_text(gas.replace(block[0], ""), "utf-8")
    assert ("rule", "gas.methane.limit: is no longer among the rules") in [
        (r["what"], r["en"]) for r in city.explain(WELL, rules=other)["reasons"]
    ]


def test_a_series_that_has_left_the_catalog_is_said_to_be_gone(fading: City) -> None:
    path = fading.config.city.catalog
    path.write_text("".join(x for x in path.read_text("utf-8").splitlines(keepends=True) if "laser-0/" not in x), "utf-8")
    said = fading.explain(WELL)
    assert (said["replay"], said["same"]) == (None, None)
    assert "the catalog has no series of well-0" in said["reasons"][0]["en"]


@pytest.mark.parametrize("source", ["journal", "lake"])
def test_readings_that_are_gone_leave_what_the_warning_itself_carries(fading: City, tmp_path: Path, source: str) -> None:
    shutil.rmtree(fading.config.city.data / "lake")
    emptied(fading)
    png = tmp_path / "gone.png"
    said = fading.explain(WELL, source=source, png=png)
    assert (said["same"], said["replay"]["readings"]) == (None, {})
    assert "gone" in {r["what"] for r in said["reasons"]}
    assert png.stat().st_size > 5000
    text = run(fading.config, WELL, rules=None, before="", source=source, lang="en", png=None, as_json=False)  # type: ignore[arg-type]
    assert "6 %VOL" in text
    assert "there are no readings to be told again" in text


def emptied(city: City) -> None:
    """Nothing is left in the journal, as if it had been purged."""
    from ingest.journal import connect

    with connect(city.config.city.data / "journal.db") as db:
        db.execute("DELETE FROM batch")


def test_where_the_journal_reaches_no_more_the_lake_is_asked(fading: City) -> None:
    assert fading.explain(WELL, source="auto")["replay"]["source"] == "journal"
    (fading.config.city.data / "journal.db").rename(fading.config.city.data / "journal.old")
    assert fading.explain(WELL, source="auto")["replay"]["source"] == "lake"


def test_what_came_late_is_judged_only_when_told_again_from_the_lake(tmp_path: Path) -> None:
    seconds = leak(height=1.2)
    for part in (NS // 4, NS // 2):  # 4.5 s late, and far above the limit
        seconds[36].append(town.methane(0, START + 32 * NS + part, 9.0))
    lived = City(tmp_path, seconds)
    assert lived.explain(WELL)["same"] is True
    said = lived.explain(WELL, source="lake")
    assert said["same"] is False
    assert "change" in {d["what"] for d in said["differences"]}
    assert [r["en"][:32] for r in said["reasons"] if r["what"] == "late"] == ["laser-0/ch4: 2 stored readings c"]


def test_rules_that_learn_are_given_the_time_they_need_or_it_is_said(lively: City) -> None:
    shaken = next(c for c in listed(lively.desk, live=False) if c.hazard == "bridge_vibration")
    assert lively.explain(shaken.id)["same"] is True
    short = lively.explain(shaken.id, before="1s")
    assert "warmup" in {r["what"] for r in short["reasons"]}
    with pytest.raises(Unusable, match="--before"):
        lively.explain(shaken.id, before="soon")


@pytest.mark.parametrize("source", ["journal", "lake"])
def test_a_series_that_is_judged_with_others_is_told_again_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    panel = rule(Apart(within="district"), "water_pressure", Domain.WATER, 3e4, name="apart")
    shipped = [r for r in detectors.rules() if r.domain is not Domain.WATER]
    monkeypatch.setattr(detectors, "rules", lambda _folder=None: [*shipped, panel])
    head = np.random.default_rng(4).normal(30.0, 0.05, (town.GAUGES, 60))
    head[2, 40:] -= 8.0  # [mH2O]
    lived = City(
        tmp_path,
        [
            [
                town.telemetry("water", f"node-{i}", f"gauge-{i}", START + s * NS, p=round(head[i, s], 2))
                for i in range(town.GAUGES)
            ]
            for s in range(60)
        ],
    )
    said = lived.explain("node-2/gas_accumulation", source=source)  # the hazard of the test's rule
    assert said["same"] is True, said["differences"]
    assert {s["key"] for s in said["replay"]["scores"]} == {"gauge-2/p"}
    (apart,) = [s for s in said["replay"]["scores"] if s["rule"] == "test.apart"]
    assert apart["peak"] > 3e4
