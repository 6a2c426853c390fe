"""What holds for every board whatever is in the database: Grafana's schema, places, links, variables, UIDs."""

import importlib
import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as schema

from alerts import plot
from boards import limits
from boards.build import HERE, City, drift, files, text, write
from boards.draw import QUALITIES, STATES, Scope
from boards.words import COLOURS, DOMAINS, FOLDERS, RANKS, Language, folder_uid
from detectors.rulebook import rules
from lifeline.model import Domain, Level, Quality
from lifeline.units import QUANTITIES, WORDS
from tests.boards.asgrafana import panels

JSON = dict[str, Any]
SWUNG = ("levelling", "acceleration", "pier_acceleration", "water_transient")  # drawn both ways from nought
MODELS = {"state-timeline": "statetimeline", "annolist": "annotationslist"}
BOOK = rules()
ASKED = re.compile(r"\.annotations\.list\[\d\]\.target\.")  # a source's own query; the model knows only Grafana's
BEYOND = {  # what the SDK (schema of Grafana 10.1) does not know and Grafana 13 does
    "stat.options.percentChangeColorMode", "stat.options.showPercentChange", "heatmap.options.tooltip.mode",
    "heatmap.options.tooltip.showColorScale", "stat.options.wideLayout", "state-timeline.options.perPage",
    "table.options.frameIndex",
    "xychart.options.mapping", "xychart.options.series[0].frame", "xychart.options.series[1].frame",
    "xychart.FieldConfig.fillOpacity",
}  # fmt: skip


def everything(board: JSON) -> Iterator[JSON]:
    """All panels, rows too."""
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", [])


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where what was set is not what came back."""
    if isinstance(before, dict):
        for key, value in before.items():
            if not isinstance(after, dict) or key not in after:
                yield f"{path}.{key}"
            else:
                yield from lost(value, after[key], f"{path}.{key}")
    elif isinstance(before, list):
        if not isinstance(after, list) or len(after) != len(before):
            yield path
        else:
            for i, (x, y) in enumerate(zip(before, after, strict=True)):
                yield from lost(x, y, f"{path}[{i}]")
    elif before != after:
        yield path


def again(model: Any, data: JSON) -> JSON:
    """Through the SDK's model and back."""
    back: JSON = json.loads(json.dumps(model.from_json(data), cls=JSONEncoder))
    return back


def test_every_board_comes_back_whole_from_the_model_of_the_sdk(made: dict[str, JSON]) -> None:
    for path, board in made.items():
        gone = [x for x in lost(board, again(schema.Dashboard, board)) if not ASKED.match(x) and "maxPerRow" not in x]
        assert gone == [], path


def test_options_of_every_panel_come_back_whole_from_their_models(made: dict[str, JSON]) -> None:
    """Each kind of panel has its own model for its options, and for what it adds to a field."""
    missing = set()
    for board in made.values():
        for p in panels(board):
            model = importlib.import_module(f"grafana_foundation_sdk.models.{MODELS.get(p['type'], p['type'])}")
            parts = [("options", p["options"])]
            custom = p.get("fieldConfig", {}).get("defaults", {}).get("custom")
            if custom and hasattr(model, "FieldConfig"):
                parts.append(("FieldConfig", custom))
            for part, data in parts:
                kind = model.Options if part == "options" else model.FieldConfig
                missing |= {f"{p['type']}.{part}{gone}" for gone in lost(data, again(kind, data))}
    assert missing <= BEYOND


def test_ids_are_unique_and_no_two_panels_overlap(made: dict[str, JSON]) -> None:
    for path, board in made.items():
        ids = [p["id"] for p in everything(board)]
        assert len(ids) == len(set(ids)), path
        groups = [board["panels"], *(p["panels"] for p in board["panels"] if p.get("panels"))]
        for group in groups:
            for a, b in combinations([p["gridPos"] for p in group], 2):
                apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
                apart |= a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
                assert apart, (path, a, b)
            assert all(p["gridPos"]["x"] >= 0 and p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in group)


def test_titles_are_unique_on_a_board(made: dict[str, JSON]) -> None:
    for path, board in made.items():
        titles = [p["title"] for p in everything(board) if p["type"] != "row"]
        assert len(titles) == len(set(titles)), (path, sorted(t for t in titles if titles.count(t) > 1))


def test_uids_are_fixed_unique_and_short_enough(made: dict[str, JSON]) -> None:
    uids = [b["uid"] for b in made.values()]
    assert len(uids) == len(set(uids))
    assert {f"{p.removesuffix('.json')}" for p in made} == {
        f"{u.rsplit('-', 1)[1]}/{u.removeprefix('lifeline-').rsplit('-', 1)[0]}" for u in uids
    }
    assert all(re.fullmatch(r"[a-z-]{1,40}", u) for u in [*uids, *map(folder_uid, Language)])


def test_titles_of_boards_and_folders_are_unique(made: dict[str, JSON]) -> None:
    assert len(set(FOLDERS.values())) == len(FOLDERS)  # alert rules find their folder by its title
    for say in Language:
        titles = [b["title"] for p, b in made.items() if p.startswith(f"{say}/")]
        assert len(titles) == len(set(titles))


def test_every_variable_that_is_spoken_of_is_there(made: dict[str, JSON]) -> None:
    for path, board in made.items():
        spoken = set(re.findall(r"\$\{(\w+)(?::\w+)?\}", text(board)))
        spoken = {v for v in spoken if not v.startswith("__")}
        assert spoken <= {v["name"] for v in board["templating"]["list"]}, path


def test_every_variable_but_the_chain_of_choices_is_used(made: dict[str, JSON]) -> None:
    for path, board in made.items():
        body = text({k: v for k, v in board.items() if k != "templating"})
        chained = text(board["templating"])
        for v in board["templating"]["list"]:
            assert f"${{{v['name']}:" in body + chained or f"${{{v['name']}}}" in body or v["name"] in {"tz", "hours"}, (
                path,
                v["name"],
            )


def urls(x: Any) -> Iterator[str]:
    """Addresses of links, wherever they stand."""
    if isinstance(x, dict):
        if isinstance(x.get("url"), str):
            yield x["url"]
        for v in x.values():
            yield from urls(v)
    elif isinstance(x, list):
        for v in x:
            yield from urls(v)


def test_links_lead_to_boards_that_exist_in_the_same_language(made: dict[str, JSON]) -> None:
    uids = {b["uid"] for b in made.values()}
    for path, board in made.items():
        say = path[:2]
        linked = [match.group(1) for match in map(re.compile(r"/d/([^?/]+)").match, urls(board)) if match]
        assert linked
        for uid in linked:
            if "$" in uid:  # the domain of the row clicked on
                for domain in Domain:
                    assert re.sub(r"\$\{.*?\}", domain, uid) in uids, (path, uid)
            else:
                assert uid in uids, (path, uid)
                assert uid.endswith(f"-{say}"), (path, uid)


def test_data_come_from_one_source_only(made: dict[str, JSON]) -> None:
    def sources(x: Any) -> Iterator[tuple[str, str]]:
        if isinstance(x, dict):
            if isinstance(x.get("datasource"), dict):
                yield x["datasource"]["type"], x["datasource"]["uid"]
            elif "datasource" in x:
                yield "", str(x["datasource"])
            for v in x.values():
                yield from sources(v)
        elif isinstance(x, list):
            for v in x:
                yield from sources(v)

    found = {s for b in made.values() for s in sources(b)}
    assert found == {("influxdb", "lifeline-influx"), ("datasource", "grafana"), ("__expr__", "__expr__")}


def test_what_is_not_known_is_never_shown_as_zero_or_green(made: dict[str, JSON]) -> None:
    assert COLOURS["UNKNOWN"] not in {COLOURS["NORMAL"], *plot.COLOURS.values()}
    assert RANKS[-1] == "UNKNOWN"
    for path, board in made.items():
        for p in panels(board):
            if p["type"] in {"stat", "table", "timeseries", "state-timeline"}:
                assert re.search("UNKNOWN|未知", p["fieldConfig"]["defaults"]["noValue"]), (path, p["title"])
            if p["type"] == "stat":
                assert any(m["type"] == "special" for m in p["fieldConfig"]["defaults"]["mappings"]), (path, p["title"])


def test_colours_are_those_of_the_desk() -> None:
    assert {k: v for k, v in COLOURS.items() if k in plot.COLOURS} == plot.COLOURS
    assert [RANKS[level.value] for level in Level] == [level.name for level in Level]


def test_a_line_breaks_where_nothing_came(made: dict[str, JSON]) -> None:
    for board in made.values():
        for p in panels(board):
            if p["type"] == "timeseries":
                custom = p["fieldConfig"]["defaults"]["custom"]
                assert custom["spanNulls"] is False
                assert custom["insertNulls"] > 0


def test_no_board_needs_the_internet(made: dict[str, JSON]) -> None:
    assert not re.search(r"https?://", "".join(map(text, made.values())))


def test_a_base_map_can_be_set(city: City) -> None:
    tiles = "http://tiles.local/{z}/{x}/{y}.png"
    board = files([Language.ZH], City(city.rules, city.due, tiles))["zh/city.json"]
    (risk,) = (p for p in panels(board) if p["type"] == "geomap")
    assert risk["options"]["basemap"]["config"]["url"] == tiles


def test_limits_are_those_of_the_rules() -> None:
    """Methane: as detectors/rules/gas.toml has it. Water pressure: worse the lower."""
    book = BOOK
    rule = next(r for r in book if r.id == "gas.methane.limit")
    found = limits.bounds(book, Domain.GAS, "methane")
    assert {b.level: b.value for b in found} == rule.bounds
    assert all(b.upper for b in found)
    steps = limits.steps(found)
    assert steps[0] == {"value": None, "color": "transparent"}
    assert [(s["value"], s["color"]) for s in steps[1:]] == [(v, COLOURS[k]) for k, v in rule.bounds.items()]
    low = limits.steps(limits.bounds(book, Domain.WATER, "water_pressure"))
    assert low == [
        {"value": None, "color": COLOURS["ORANGE"]}, {"value": 14.0, "color": COLOURS["YELLOW"]},
        {"value": 17.0, "color": COLOURS["BLUE"]}, {"value": 20.0, "color": "transparent"},
    ]  # fmt: skip


def test_changing_a_rule_changes_the_line() -> None:
    from dataclasses import replace

    book = [replace(r, bounds=r.bounds | {"RED": 4.5}) if r.quantity == "methane" else r for r in BOOK]
    found = {b.level: b.value for b in limits.bounds(book, Domain.GAS, "methane")}
    assert found["RED"] == 4.5


@pytest.mark.parametrize("domain", list(Domain))
def test_thresholds_always_rise(domain: Domain) -> None:
    for quantity in QUANTITIES:
        for both in (False, True)[: 1 + (quantity in SWUNG)]:
            values = [s["value"] for s in limits.steps(limits.bounds(BOOK, domain, quantity, both=both))]
            assert values[0] is None
            assert values[1:] == sorted(set(values[1:])), (quantity, values)


def test_of_several_rules_the_limit_of_one_reading_is_drawn() -> None:
    """Twelve of a hundred re-openings are no limit of one stop."""
    assert [(b.level, b.value) for b in limits.bounds(BOOK, Domain.ELEVATOR, "reopenings")] == [
        ("BLUE", 6.0),
        ("YELLOW", 12.0),
    ]


def test_limits_are_told_in_words_with_where_they_come_from() -> None:
    told = limits.told(BOOK, Domain.GAS, "gas_pressure", Language.EN)
    assert "`gas.pressure.high`: YELLOW ≥ 1.2, ORANGE ≥ 1.35, RED ≥ 1.5 (of the rated value)" in told
    assert "`gas.pressure.low`: YELLOW ≤ 0.85, ORANGE ≤ 0.8, RED ≤ 0.6 (of the rated value)" in told


def test_every_word_of_a_state_and_every_quality_has_its_text() -> None:
    for quantity, states in STATES.items():
        assert {v for v, *_ in states} == set(WORDS[quantity].values()), quantity
    assert len(QUALITIES) == len(Quality)
    assert set(DOMAINS) == set(Domain)


def test_titles_tell_the_unit() -> None:
    scope = Scope(Language.ZH, Domain.GAS, [])
    assert scope.titled("methane") == "甲烷浓度（%VOL）"
    assert Scope(Language.EN, Domain.WATER, []).titled("ph") == "PH"


def test_committed_boards_are_what_the_code_builds(made: dict[str, JSON]) -> None:
    """`lifeline boards build` writes them."""
    assert drift(made, HERE) == []


def test_writing_twice_changes_nothing(made: dict[str, JSON], tmp_path: Any) -> None:
    assert write(made, tmp_path) == sorted(made)
    assert write(made, tmp_path) == []
    (tmp_path / "zh/city.json").write_text("{}")
    (tmp_path / "zh/gone.json").write_text("{}")
    assert drift(made, tmp_path) == ["zh/city.json", "zh/gone.json"]
    write(made, tmp_path)
    assert drift(made, tmp_path) == []
    assert not (tmp_path / "zh/gone.json").exists()
