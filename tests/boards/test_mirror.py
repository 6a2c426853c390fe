"""Boards and mirror mean the same: what the mirror's own code writes is what the boards find."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lifeline.model import Batch
from pipeline.mirror.desk import Assets, level_line, warning_line
from pipeline.mirror.scrape import samples
from store.protocol import Encoder
from tests import town as cities
from tests.boards.asgrafana import Viewer, panels
from tests.boards.influxd import Influxd
from tests.boards.town import MINUTE, NOW

JSON = dict[str, Any]
MS = 1_000_000  # [ns]
DATABASE = "mirrored"
PAGE = 'lifeline_desk_warnings{domain="gas",level="RED",state="open"} 2.0\nlifeline_watch_lag_seconds 0.25\n'


@pytest.fixture(scope="module")
def asset(influxd: Influxd, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A city's well as the mirror writes it for ten minutes; its name."""
    influxd.create(DATABASE)
    catalog = cities.catalog(Path(tmp_path_factory.mktemp("city")))
    row = int(np.flatnonzero(catalog.quantity == "methane")[0])
    asset, t = str(catalog.asset[row]), (NOW - np.arange(10)[::-1] * MINUTE) * MS
    n = t.size
    batch = Batch(np.full(n, row, np.int32), t, np.linspace(0.01, 0.02, n), np.zeros(n, np.uint8))
    lines = [Encoder(catalog, "town").readings(batch).text.decode()]
    assets = Assets(catalog, "town")
    for instant in t.tolist():
        stands = {str(a): "NORMAL" for a in catalog.asset} | {asset: "RED"}
        told = assets.lines(stands, Counter({asset: 1}), instant)
        assets.written(stands, Counter({asset: 1}), instant)
        lines += [told.text.decode(), *(s.decode() for s in samples(PAGE, "desk", instant, "desk:8087"))]
    case = {
        "id": "a1", "city": "town", "district": str(catalog.district[row]), "domain": "gas", "asset": asset,
        "hazard": "gas_accumulation", "level": "RED", "state": "taken", "zh": "【红色】井", "en": "[RED] well",
        "url": "http://desk/a1", "t": NOW * MS,
        "raised": (NOW - 2 * MINUTE) * MS, "acknowledged_at": (NOW - MINUTE) * MS, "updated": (NOW - MINUTE) * MS,
    }  # fmt: skip
    lines += [warning_line(case).decode(), level_line(case).decode()]
    influxd.write("".join(lines), DATABASE)
    return asset


def seen(made: dict[str, JSON], influxd: Influxd, board: str, title: str, **chosen: list[str]) -> Any:
    view = Viewer(influxd, made[f"en/{board}.json"], NOW, chosen, DATABASE)
    return view.shown(next(p for p in panels(view.board) if p["title"] == title))


def test_assets_stand_where_the_mirror_says(made: dict[str, JSON], influxd: Influxd, asset: str) -> None:
    found, _ = seen(made, influxd, "city", "Risk map")
    ranks = dict(zip(found.column("asset"), found.column("rank"), strict=True))
    assert ranks.pop(asset) == 4
    assert set(ranks.values()) == {0}
    assert dict(zip(found.column("asset"), found.column("open"), strict=True))[asset] == 1


def test_a_reading_is_shown_with_its_limits_unit(made: dict[str, JSON], influxd: Influxd, asset: str) -> None:
    (line,) = seen(made, influxd, "gas-asset", "Methane (%VOL)", asset=[asset])
    assert line.rows[-1][1] == pytest.approx(2.0)
    assert line.name.endswith("/ch4")


def test_a_warning_its_level_and_the_time_to_its_answer_are_there(made: dict[str, JSON], influxd: Influxd, asset: str) -> None:
    (found,) = seen(made, influxd, "city", "Warnings")
    assert dict(zip(found.columns, found.rows[0], strict=True)) | {"Time": 0, "District": ""} == {
        "Time": 0, "Warning": "[RED] well", "Level": "RED", "State": "taken", "District": "", "Asset": asset, "Domain": "gas",
        "Answered after": 60.0, "url": "http://desk/a1",
    }  # fmt: skip
    (line,) = seen(made, influxd, "gas-asset", "Level by hazard", asset=[asset])
    assert (line.name, line.rows[0][1]) == ("gas_accumulation", "RED")


def test_the_note_of_a_warning_is_its_title_as_a_link_and_no_other_html() -> None:
    case = dict.fromkeys(("city", "district", "domain", "asset", "hazard"), "x") | {
        "id": "a1", "level": "RED", "state": "open", "zh": "【红色】<b>井", "en": 'a "well" & <script>', "url": "http://desk/a1?b&c",
        "raised": 0, "acknowledged_at": None, "updated": 5,
    }  # fmt: skip
    told = warning_line(case).decode()
    assert r'note_zh="<a href=\"http://desk/a1?b&amp;c\">【红色】&lt;b&gt;井</a>"' in told
    assert r'note_en="<a href=\"http://desk/a1?b&amp;c\">a &quot;well&quot; &amp; &lt;script&gt;</a>"' in told


def test_the_processes_figures_are_found(made: dict[str, JSON], influxd: Influxd, asset: str) -> None:
    assert asset
    (found,) = seen(made, influxd, "city", "Open warnings")
    assert found.column("value") == [2]
    (line,) = seen(made, influxd, "pipeline", "Lag of watch")
    assert line.rows[-1][1] == 0.25
