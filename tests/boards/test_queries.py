"""Every query of every panel, on a real InfluxDB 1.6 with a small city in it."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from boards.build import files
from boards.influx import Select, equal, of
from boards.provision import WATCHWORDS
from boards.words import Language
from lifeline.units import QUANTITIES, UNITS
from tests.boards.asgrafana import Table, Viewer, panels
from tests.boards.influxd import Influxd
from tests.boards.town import ASSETS, DAY, HOUR, MINUTE, MODES, NIGHT, NOW, SILENT, SPECTRUM

JSON = dict[str, Any]
NAMES = [f"{name}" for name in ("city", "gas", "water", "bridge", "elevator", "gas-asset", "water-asset", "bridge-asset",
                                "elevator-asset", "other-asset", "pipeline")]  # fmt: skip
EMPTY = {"annolist"}  # Grafana's own annotations: no query of ours
ROUGH = 1e-6


def viewer(made: dict[str, JSON], influxd: Influxd, name: str, **how: Any) -> Viewer:
    return Viewer(influxd, made[f"en/{name}.json"], how.pop("now", NOW), **how)


def panel(board: JSON, title: str) -> JSON:
    return next(p for p in panels(board) if p["title"] == title)


def titled(view: Viewer, title: str) -> list[Table]:
    return view.shown(panel(view.board, title))


def test_the_names_are_those_of_all_boards(made: dict[str, JSON]) -> None:
    assert sorted(made) == sorted(f"{say}/{n}.json" for say in Language for n in NAMES)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", NAMES)
def test_every_panel_has_data(made: dict[str, JSON], influxd: Influxd, name: str, language: Language) -> None:
    view = Viewer(influxd, made[f"{language}/{name}.json"], NOW)
    blank = []
    for p in panels(view.board):
        for target, answer in zip(p.get("targets", []), view.answers(p), strict=True):
            values = [v for t in answer for r in t.rows for v in r[1:] if v is not None]
            if not values:
                blank.append((p["title"], view.filled(target["query"], *view.span(p))))
        assert p.get("targets") or p["type"] in EMPTY
    assert blank == []


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", NAMES)
def test_columns_that_a_panel_speaks_of_are_there(
    made: dict[str, JSON], influxd: Influxd, name: str, language: Language
) -> None:
    view = Viewer(influxd, made[f"{language}/{name}.json"], NOW)
    for p in panels(view.board):
        tables = view.shown(p)
        columns = {c for t in tables for c in t.columns}
        spoken = {
            o["matcher"]["options"] for o in p.get("fieldConfig", {}).get("overrides", []) if o["matcher"]["id"] == "byName"
        }
        options = p.get("options", {})
        spoken |= {s["displayName"] for s in options.get("sortBy", [])}
        spoken |= {m["matcher"]["options"] for s in options.get("series", []) for k, m in s.items() if k in "xy"}
        if p["type"] == "geomap":
            for layer in options["layers"]:
                style = layer["config"]["style"]
                fields = {style["color"]["field"], layer["location"]["latitude"], layer["location"]["longitude"]}
                fields |= {style["text"]["field"]} if "text" in style else set()
                assert fields <= set(tables["AB".index(layer["filterData"]["options"])].columns)
        if column := options.get("reduceOptions", {}).get("fields"):
            assert [c for c in columns if re.search(column.strip("/"), c)], (p["title"], column, columns)
        spoken |= set(re.findall(r'__data\.fields\["([^"]+)"\]', str(p)))
        assert spoken <= columns, (p["title"], spoken - columns, columns)
        if p["type"] == "table":
            assert len(tables) == 1, p["title"]


@pytest.mark.parametrize("name", NAMES)
def test_lines_have_names_of_their_own(made: dict[str, JSON], influxd: Influxd, name: str) -> None:
    view = viewer(made, influxd, name)
    for p in panels(view.board):
        if p["type"] in {"timeseries", "heatmap", "state-timeline"}:
            found = [t.name for t in view.shown(p)]
            assert len(found) == len(set(found)), (p["title"], found)


def test_variables_offer_what_is_there(made: dict[str, JSON], influxd: Influxd) -> None:
    gas = viewer(made, influxd, "gas", chosen={"district": ["龙街"]})
    assert gas.options("district") == ["凤麓街道", "龙街"]
    assert gas.options("asset") == ["well-2", "well-9", "well/3 (old)"]
    assert viewer(made, influxd, "bridge-asset").options("mode") == ["bridge-1-d/frequency"]
    assert viewer(made, influxd, "other-asset").options("quantity") == ["humidity"]


def test_names_of_assets_may_hold_anything(made: dict[str, JSON], influxd: Influxd) -> None:
    view = viewer(made, influxd, "gas", chosen={"asset": ["well/3 (old)"]})
    (found,) = titled(view, "Wells by methane (%VOL)")
    assert found.column("Asset") == ["well/3 (old)"]
    view = viewer(made, influxd, "gas", chosen={"asset": ["well/3 (old)", "well-1"]})
    (found,) = titled(view, "Wells by methane (%VOL)")
    assert sorted(found.column("Asset")) == ["well-1", "well/3 (old)"]


def test_the_map_shows_each_asset_at_its_level_and_the_silent_one_as_unknown(made: dict[str, JSON], influxd: Influxd) -> None:
    found, districts = titled(viewer(made, influxd, "city"), "Risk map")
    assert dict(zip(districts.column("district"), districts.column("worst"), strict=True)) == {"凤麓街道": 4, "龙街": 3}
    ranks = dict(zip(found.column("asset"), found.column("rank"), strict=True))
    assert ranks == {a: -1 if a in SILENT else rank for a, (_, _, rank) in ASSETS.items()}
    places = dict(zip(found.column("asset"), zip(found.column("lat"), found.column("lon"), strict=True), strict=True))
    assert places["well-1"] == (24.64, 102.94)
    assert dict(zip(found.column("asset"), found.column("open"), strict=True))["well-1"] == 1


def test_when_the_mirror_stops_everything_is_unknown_and_nothing_green(made: dict[str, JSON], influxd: Influxd) -> None:
    late = viewer(made, influxd, "city", now=NOW + 10 * MINUTE)
    found, districts = titled(late, "Risk map")
    assert set(districts.column("worst")) == {-1}
    assert len(found.rows) == len(ASSETS)
    assert set(found.column("rank")) == {-1}
    assert count(late, "UNKNOWN") == len(ASSETS)
    assert count(late, "RED") == 0


def count(view: Viewer, level: str) -> Any:
    (found,) = titled(view, level)
    return found.column(level)[-1]


def test_counts_say_nought_where_there_are_none_and_nothing_where_nothing_is_known(
    made: dict[str, JSON], influxd: Influxd
) -> None:
    view = viewer(made, influxd, "gas")
    assert [count(view, n) for n in ("RED", "ORANGE", "YELLOW", "BLUE", "UNKNOWN")] == [1, 0, 1, 0, 1]
    nobody = viewer(made, influxd, "gas", database="empty")
    assert titled(nobody, "RED") == []  # the panel then says UNKNOWN, not 0


def test_levels_by_domain_add_up_to_all_assets(made: dict[str, JSON], influxd: Influxd) -> None:
    (found,) = titled(viewer(made, influxd, "city"), "Assets by level and domain")
    rows = {r[0]: dict(zip(found.columns[1:], r[1:], strict=True)) for r in found.rows}
    assert rows["gas"] == {"RED": 1, "ORANGE": 0, "YELLOW": 1, "BLUE": 0, "UNKNOWN": 1, "NORMAL": 1}
    assert sum(sum(r.values()) for r in rows.values()) == len(ASSETS)


def test_silent_assets_are_listed(made: dict[str, JSON], influxd: Influxd) -> None:
    (found,) = titled(viewer(made, influxd, "city"), "Unknown (silent) assets")
    assert set(found.column("Asset")) == SILENT


def test_readings_are_shown_in_the_unit_that_people_read_and_bad_ones_not_at_all(
    made: dict[str, JSON], influxd: Influxd
) -> None:
    (found,) = titled(viewer(made, influxd, "gas"), "Wells by methane (%VOL)")
    for now, worst in zip(found.column("Latest"), found.column("Highest"), strict=True):
        assert 0.7 <= now <= worst <= 1.3
    for name in ("gas-asset", "water-asset", "bridge-asset", "elevator-asset"):
        view = viewer(made, influxd, name)
        for p in panels(view.board):
            if p["type"] == "timeseries":
                assert all(abs(v) < 1e4 for t in view.shown(p) for r in t.rows for v in r[1:] if v is not None), p["title"]


def test_a_temperature_is_in_degrees_celsius(made: dict[str, JSON], influxd: Influxd) -> None:
    (line, *_) = titled(viewer(made, influxd, "water"), "Temperature (°C)")
    assert all(10 < r[1] < 20 for r in line.rows)


def test_the_least_flow_of_a_day_is_that_of_its_quietest_hour(made: dict[str, JSON], influxd: Influxd) -> None:
    lines = titled(viewer(made, influxd, "water"), "Water flow (m³/h): least of each day (by night)")
    line = next(t for t in lines if t.name == "main-1")
    whole = [v for _, v in line.rows[1:-1]]
    assert len(whole) >= 75
    assert whole == [pytest.approx(NIGHT / UNITS["m³/h"].scale)] * len(whole)
    assert {t % DAY for t, _ in line.rows} == {16 * HOUR}  # midnight in Shanghai


def test_a_residual_is_the_reading_less_the_mean_of_the_day_before(made: dict[str, JSON], influxd: Influxd) -> None:
    view = viewer(made, influxd, "water")
    lines = titled(view, "Water pressure (mH2O): off the mean of its own day")
    means = influxd.ask(
        str(
            Select(
                'mean("value") / 9806.65',
                of("water_pressure"),
                (equal("asset", "main-1"), '"quality" = 0', f"time >= {NOW - 2 * DAY}ms AND time <= {NOW}ms"),
                (),
                "15m",
            )
        )
    )[0]["values"]
    usual = {t: sum(v for _, v in means[i - 95 : i + 1]) / 96 for i, (t, _) in enumerate(means) if i >= 95}
    got = {t: v for t, v in next(t for t in lines if t.name == "main-1").rows if v is not None}
    assert got
    now = dict(means)
    for t, v in got.items():
        assert v == pytest.approx(now[t] - usual[t], abs=ROUGH)


def test_the_rms_of_ten_minutes_is_that_of_its_seconds(made: dict[str, JSON], influxd: Influxd) -> None:
    (line,) = titled(viewer(made, influxd, "bridge"), "Acceleration (m/s²): RMS of 10m")
    assert [v for _, v in line.rows] == [pytest.approx(0.25)] * len(line.rows)


def test_spectra_are_in_decibels_by_frequency_and_blank_where_there_are_none(made: dict[str, JSON], influxd: Influxd) -> None:
    lines = titled(viewer(made, influxd, "bridge"), "Spectra over time (Hz)")
    assert [t.name for t in lines] == sorted(SPECTRUM)  # texts in the order of their numbers
    for t in lines:
        assert len(t.rows) == 6
        assert [v for _, v in t.rows] == [pytest.approx(10 * math.log10(2 * SPECTRUM[t.name]))] * 6
    one = titled(viewer(made, influxd, "bridge", chosen={"sensor": ["bridge-1-a/1"]}), "Spectra over time (Hz)")
    assert one[0].rows[0][1] == pytest.approx(10 * math.log10(SPECTRUM[one[0].name]))


def test_the_latest_spectrum_is_the_newest_of_each_sensor_and_no_old_one(made: dict[str, JSON], influxd: Influxd) -> None:
    (found,) = titled(viewer(made, influxd, "bridge"), "Latest spectrum")
    assert found.column("Frequency (Hz)") == [float(f) for f in SPECTRUM]
    assert found.column("Mean") == [pytest.approx(2 * x) for x in SPECTRUM.values()]
    assert found.column("Largest") == [pytest.approx(3 * x) for x in SPECTRUM.values()]
    assert titled(viewer(made, influxd, "bridge", now=NOW + 2 * HOUR), "Latest spectrum") == []


@pytest.mark.parametrize(
    ("title", "least"),
    [
        ("Tracks of natural frequencies (Hz), with temperature (°C)", 6),
        ("Natural frequencies with temperature: means of a day, a year", 80),
    ],
)
def test_natural_frequencies_stand_beside_temperatures(made: dict[str, JSON], influxd: Influxd, title: str, least: int) -> None:
    lines = {t.name: [v for _, v in t.rows] for t in titled(viewer(made, influxd, "bridge"), title)}
    for mode, hertz in enumerate(MODES, 1):
        assert len(lines[f"bridge-1 mode {mode}"]) >= least
        assert lines[f"bridge-1 mode {mode}"] == [pytest.approx(hertz)] * len(lines[f"bridge-1 mode {mode}"])
    assert all(10 < v < 20 for v in lines["bridge-1-d/temperature °C"])


def test_a_natural_frequency_is_drawn_against_the_temperature_of_its_hour(made: dict[str, JSON], influxd: Influxd) -> None:
    view = viewer(made, influxd, "bridge", chosen={"mode": ["2"]})
    (found,) = titled(view, "Natural frequency against temperature")
    assert len(found.rows) >= 30 * 24 - 1
    assert all(10 < t < 20 and f == pytest.approx(MODES[1]) for _, t, f in found.rows)


def test_assets_with_open_warnings_are_listed_whatever_time_is_shown(made: dict[str, JSON], influxd: Influxd) -> None:
    (found,) = titled(viewer(made, influxd, "city"), "Assets with open warnings")
    assert set(found.column("Asset")) == {a for a, (_, _, rank) in ASSETS.items() if rank > 0}


def test_what_two_desks_do_is_added_and_what_both_see_is_not(made: dict[str, JSON], influxd: Influxd) -> None:
    view = viewer(made, influxd, "pipeline")
    assert middle(titled(view, "Notices delivered (by the second)")[0]) == pytest.approx(0.1)
    assert titled(view, "Notices given up")[0].rows[-1][1] == 2
    assert {v for _, v in titled(view, "Age of heartbeats, by process")[0].rows} == {2.0}
    (found,) = titled(view, "When each process last gave its figures")
    assert len(found.rows) == 5


def test_trips_are_counted_by_the_changes_of_motion(made: dict[str, JSON], influxd: Influxd) -> None:
    (line,) = titled(viewer(made, influxd, "elevator"), "Trips an hour")
    assert {v for _, v in line.rows[1:-1]} == {3}  # every second ten-minute reading moves


def test_each_bucket_of_the_heat_map_holds_its_own_deliveries(made: dict[str, JSON], influxd: Influxd) -> None:
    lines = {t.name: t for t in titled(viewer(made, influxd, "pipeline"), "From the sensor to the first delivery")}
    whole = {name: [v for _, v in t.rows if v is not None][1:-1] for name, t in lines.items()}
    assert whole["1"] == [pytest.approx(18)] * len(whole["1"])  # 0.3 a second, in a minute
    assert whole["2.5"] == [pytest.approx(6)] * len(whole["2.5"])
    assert whole["300"] == [pytest.approx(6)] * len(whole["300"])
    assert max(map(abs, whole["1800"])) < ROUGH
    assert len(whole["1"]) > 50


def test_rates_and_shares_are_those_of_the_counters(made: dict[str, JSON], influxd: Influxd) -> None:
    view = viewer(made, influxd, "pipeline")
    assert middle(titled(view, "Messages taken (by the second)")[0]) == pytest.approx(10)
    assert middle(titled(view, "One commit of the journal (mean)")[0]) == pytest.approx(0.004)
    assert middle(titled(view, "One step of the detectors (mean)")[0]) == pytest.approx(0.005)
    assert titled(view, "Messages in flight (ledger)")[0].rows[-1][1] == pytest.approx(0.1 * 3600)
    (found,) = titled(view, "Warnings not closed")
    assert found.column("value") == [5]


def middle(table: Table) -> float:
    values = [v for _, v in table.rows if v is not None]
    return float(values[len(values) // 2])


def test_figures_of_a_process_that_stopped_are_not_shown_as_if_they_held(made: dict[str, JSON], influxd: Influxd) -> None:
    view = viewer(made, influxd, "pipeline", now=NOW + 3 * MINUTE)
    assert titled(view, "Lag now") == []


def test_a_frequency_stands_beside_the_temperature_of_its_hour(made: dict[str, JSON], influxd: Influxd) -> None:
    (found,) = titled(viewer(made, influxd, "bridge-asset"), "Frequency against temperature")
    both = [r for r in found.rows if None not in r]
    assert len(both) >= 23
    assert all(0.9 < f < 2.1 and 10 < t < 20 for _, t, f in both)


def test_time_to_answer_is_that_of_the_warnings(made: dict[str, JSON], influxd: Influxd) -> None:
    (found,) = titled(viewer(made, influxd, "city"), "Time to answer")
    assert found.column("median") == [120.0]


def test_annotations_bring_tags_and_a_link_to_the_case(made: dict[str, JSON], influxd: Influxd) -> None:
    for name in NAMES:
        view = viewer(made, influxd, name)
        for a in view.board["annotations"]["list"]:
            target = a["target"]
            if "query" not in target:
                continue
            series = influxd.ask(view.filled(target["query"], NOW - DAY, NOW, MINUTE))
            assert series, (name, target["query"])
            assert {target["textColumn"], *target["tagsColumn"].split(",")} <= set(series[0]["columns"])
            text = series[0]["values"][0][series[0]["columns"].index(target["textColumn"])]
            assert text == '<a href="http://desk/case/1">[RED] well</a>'


def test_quantities_on_boards_are_in_the_nomenclature(made: dict[str, JSON]) -> None:
    for board in made.values():
        for p in panels(board):
            for t in p.get("targets", []):
                for name in re.findall(r'FROM "(\w+)"', t.get("query", "")):
                    assert (
                        name in QUANTITIES
                        or name in {"asset", "level", "warning", "spectrum", "natural_frequency"}
                        or name.startswith("lifeline_")
                    ), name


def test_every_figure_on_a_board_and_in_an_alert_is_one_that_a_process_tells(made: dict[str, JSON]) -> None:
    """docs/metrics.md is made from the code of receive, watch and desk; the mirror's own stand in its meters."""
    root = Path(__file__).parents[2]
    page = (root / "docs" / "metrics.md").read_text("utf-8") + (root / "pipeline" / "mirror" / "meters.py").read_text("utf-8")
    asked = "".join(t.get("query", "") for b in made.values() for p in panels(b) for t in p.get("targets", []))
    asked += "".join(str(w.query) for w in WATCHWORDS)
    found = set(re.findall(r'"(lifeline_\w+)"', asked))
    assert len(found) > 30
    for name in found:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        mirror = family.removesuffix("_total")
        assert f"`{family}`" in page or f'"{mirror}"' in page, name


def test_boards_of_both_languages_ask_the_same(city: Any) -> None:
    """But for the names of columns, and the title of a warning in their language."""
    zh, en = (files([say], city) for say in Language)
    own = re.compile(r'AS "[^"]*"|title_(zh|en)')
    for name in NAMES:
        boards = zh[f"zh/{name}.json"], en[f"en/{name}.json"]
        asked = [[own.sub("", t.get("query", "")) for p in panels(b) for t in p.get("targets", [])] for b in boards]
        assert asked[0] == asked[1]
