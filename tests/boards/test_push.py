"""Pushing boards to a Grafana: nothing is done twice, nobody's change is lost unseen, each refusal says what to do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from boards.grafana import Grafana, Refused
from boards.push import Step, Wanted, datasource, differences, noted, plan
from boards.words import FOLDERS, Language, folder_uid
from lifeline.model import NS
from tests.boards.double import TOKEN, VIEWER, Double, serving

JSON = dict[str, Any]
T0 = 1_767_000_000


@pytest.fixture
def double() -> Iterator[Double]:
    with serving(Double()) as d:
        yield d


def grafana(double: Double, token: str = TOKEN) -> Grafana:
    return Grafana(double.url, token)


def warning(**more: Any) -> JSON:
    said = {
        "id": "abc123", "domain": "gas", "asset": "well-1", "level": "RED", "onset": T0 * NS, "closed": None,
        "title_zh": "【红色】可燃气体聚集：well-1", "title_en": "[RED] gas <well-1>", "url": "http://desk/api/v1/warnings/abc123",
    }  # fmt: skip
    return said | more


@pytest.fixture
def wanted(made: dict[str, JSON]) -> Wanted:
    """Two small boards a language, for speed; the data source; a warning."""
    few = {p: b for p, b in made.items() if p.endswith(("city.json", "pipeline.json"))}
    return Wanted(few, datasource("http://influxdb:8086", "lifeline", "secret"), [warning()])


def apply(steps: list[Step]) -> None:
    for step in steps:
        step.do()


def push(double: Double, wanted: Wanted, **how: Any) -> list[str]:
    steps = plan(grafana(double), wanted, **how)
    apply(steps)
    return [s.what for s in steps]


def test_a_new_grafana_is_given_everything(double: Double, wanted: Wanted) -> None:
    said = push(double, wanted, message="first")
    assert said[:3] == ["make data source lifeline-influx", "make folder City lifeline", "make folder 城市生命线"]
    assert {u: f["title"] for u, f in double.folders.items()} == {folder_uid(say): FOLDERS[say] for say in Language}
    assert sorted(double.boards) == [
        "lifeline-city-en", "lifeline-city-zh", "lifeline-pipeline-en", "lifeline-pipeline-zh"
    ]  # fmt: skip
    assert double.boards["lifeline-city-zh"]["folder"] == "lifeline-zh"
    assert double.boards["lifeline-city-zh"]["messages"] == ["first"]
    assert double.sources["lifeline-influx"]["secureJsonData"] == {"httpHeaderValue1": "Token secret"}
    assert double.notes[0]["tags"] == ["lifeline", "gas", "well-1", "RED", "id:abc123"]


def test_the_second_push_changes_nothing(double: Double, wanted: Wanted) -> None:
    push(double, wanted, prune=True)
    double.asked.clear()
    assert push(double, wanted, prune=True) == []
    assert double.written == []


def test_planning_changes_nothing(double: Double, wanted: Wanted) -> None:
    plan(grafana(double), wanted, prune=True)
    assert double.written == []


def test_a_board_that_was_changed_by_hand_is_told_and_put_right(double: Double, wanted: Wanted) -> None:
    push(double, wanted)
    panel = double.boards["lifeline-city-zh"]["dashboard"]["panels"][1]
    panel["title"] = "mine"
    (step,) = plan(grafana(double), wanted)
    assert step.what == "change zh/city.json"
    assert step.details == ['panels[红 RED].title: "mine" -> "红 RED"']
    apply([step])
    assert double.boards["lifeline-city-zh"]["dashboard"]["version"] == 2
    assert plan(grafana(double), wanted) == []


def test_what_somebody_saved_meanwhile_is_not_written_over(double: Double, wanted: Wanted) -> None:
    push(double, wanted)
    double.boards["lifeline-city-zh"]["dashboard"]["title"] = "changed"
    steps = plan(grafana(double), wanted)
    double.boards["lifeline-city-zh"]["dashboard"]["version"] = 7
    with pytest.raises(Refused, match=r"412 The dashboard has been changed by someone else.*--force"):
        apply(steps)
    apply(plan(grafana(double), wanted, force=True))
    assert double.boards["lifeline-city-zh"]["dashboard"]["title"] == "城市生命线"


def test_a_board_that_was_moved_comes_back_to_its_folder(double: Double, wanted: Wanted) -> None:
    push(double, wanted)
    double.boards["lifeline-city-zh"]["folder"] = "elsewhere"
    (step,) = plan(grafana(double), wanted)
    assert step.details == ["folder: elsewhere -> lifeline-zh"]
    apply([step])
    assert double.boards["lifeline-city-zh"]["folder"] == "lifeline-zh"


def test_other_dashboards_in_our_folders_are_removed_only_when_asked(double: Double, wanted: Wanted) -> None:
    push(double, wanted)
    mine = {"uid": "mine", "title": "Mine", "version": 1}
    double.boards["mine"] = {"dashboard": mine, "folder": "lifeline-zh", "messages": []}
    double.boards["other"] = {"dashboard": mine | {"uid": "other"}, "folder": "", "messages": []}
    assert push(double, wanted) == []
    assert push(double, wanted, prune=True) == ["remove dashboard mine"]
    assert "other" in double.boards


def test_a_folder_of_another_title_is_renamed(double: Double, wanted: Wanted) -> None:
    push(double, wanted)
    double.folders["lifeline-zh"]["title"] = "Old"
    assert push(double, wanted) == ["rename folder Old to 城市生命线"]


def test_a_data_source_that_points_elsewhere_is_changed(double: Double, wanted: Wanted) -> None:
    push(double, wanted)
    double.sources["lifeline-influx"]["url"] = "http://elsewhere"
    (step,) = plan(grafana(double), wanted)
    assert step.details == ['url: "http://elsewhere" -> "http://influxdb:8086"']
    apply([step])
    assert double.sources["lifeline-influx"]["url"] == "http://influxdb:8086"
    assert "secret" not in "".join(step.details)


def test_the_note_of_a_warning_follows_it_and_links_to_its_case(double: Double, wanted: Wanted) -> None:
    push(double, wanted)
    (note,) = double.notes
    assert note["time"] == T0 * 1000
    assert note["text"].startswith('<a href="http://desk/api/v1/warnings/abc123">')
    assert "[RED] gas &lt;well-1&gt;" in note["text"]
    over = Wanted(wanted.boards, wanted.datasource, [warning(closed=(T0 + 60) * NS)])
    assert push(double, over) == ["change the note of abc123"]
    assert double.notes[0]["timeEnd"] == (T0 + 60) * 1000
    assert push(double, over) == []
    assert len(double.notes) == 1


def test_a_warning_that_stands_has_no_end() -> None:
    assert "timeEnd" not in noted(warning())


@pytest.mark.parametrize("prefix", ["", "/grafana", "/ops/grafana"])
def test_a_grafana_below_a_path_is_reached(wanted: Wanted, prefix: str) -> None:
    with serving(Double(prefix)) as double:
        push(double, wanted)
        assert len(double.boards) == len(wanted.boards)
        assert Grafana(f"{double.url}/", TOKEN).version() == "13.3.0"


HTML = "<html>login</html>"


@pytest.mark.parametrize(
    ("broken", "answer", "says"),
    [
        ("GET .*/datasources", (401, {"message": "Invalid API key"}), r"401 Invalid API key.*GRAFANA_TOKEN"),
        ("POST .*/folders", (403, {"message": "Access denied"}), r"403 Access denied.*role Editor"),
        ("POST .*/dashboards", (404, {"message": "folder not found"}), r"404 folder not found"),
        ("POST .*/datasources", (409, {"message": "same name"}), r"409 same name.*rename it"),
        ("POST .*/dashboards", (412, {"status": "name-exists", "message": "same title"}), r"412 same title.*another UID"),
        ("POST .*/annotations", (400, {"message": "bad"}), r"400 bad.*does not understand"),
        ("POST .*/dashboards", (500, {"message": "database is locked"}), r"500 database is locked.*look into its log"),
        ("POST .*/dashboards", (502, HTML), r"502 <html>login.*push again"),
        ("POST .*/folders", (200, HTML), r"no JSON"),
        ("GET .*/annotations", (429, {"message": "slow down"}), r"429 slow down"),
    ],
)
def test_each_refusal_says_what_grafana_said_and_what_to_do(
    double: Double, wanted: Wanted, broken: str, answer: Any, says: str
) -> None:
    double.broken[broken] = answer
    with pytest.raises(Refused, match=says):
        push(double, wanted)


def test_who_may_only_look_is_told_so(double: Double, wanted: Wanted) -> None:
    with pytest.raises(Refused, match=r"403.*role Editor"):
        apply(plan(grafana(double, VIEWER), wanted))
    with pytest.raises(Refused, match=r"401 Invalid API key"):
        plan(grafana(double, "wrong"), wanted)


def test_what_is_no_grafana_is_told_so(double: Double) -> None:
    double.broken["health"] = (200, {"hello": "world"})
    with pytest.raises(Refused, match="no Grafana"):
        grafana(double).version()
    with pytest.raises(Refused, match="no address"):
        Grafana("ftp://x", TOKEN)
    with pytest.raises(Refused, match="could not look at"):
        Grafana("http://127.0.0.1:9", TOKEN).version()


def test_after_a_failure_half_way_the_next_push_does_the_rest(double: Double, wanted: Wanted) -> None:
    double.broken["POST .*/annotations"] = (500, {"message": "no"})
    with pytest.raises(Refused):
        push(double, wanted)
    double.broken.clear()
    assert push(double, wanted) == ["note warning abc123"]


def test_what_a_server_takes_for_granted_is_no_difference() -> None:
    want = {"a": 1, "empty": [], "no": None, "in": [{"x": 1}]}
    assert list(differences(want, {"a": 1, "in": [{"x": 1, "y": 2}], "more": 3})) == []
    assert list(differences(want, {"a": 2, "in": []})) == ["a: 2 -> 1", 'in: [] -> [{"x": 1}]']
    assert list(differences({"a": 1}, {"a": 1, "b": 2}, both=True)) == ["b: 2 -> gone"]


def test_the_board_that_is_sent_is_the_one_that_is_built(double: Double, wanted: Wanted) -> None:
    push(double, wanted)
    there = double.boards["lifeline-city-en"]["dashboard"]
    assert json.dumps({k: v for k, v in there.items() if k not in {"id", "version"}}, sort_keys=True) == json.dumps(
        wanted.boards["en/city.json"], sort_keys=True
    )
