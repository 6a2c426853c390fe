"""What the mirror takes from the desk, and the processes' own figures."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from alerts import queries
from alerts.api import app
from alerts.desk import Desk as TheDesk
from alerts.desk import Settings
from alerts.route import Route
from alerts.tables import Database
from lifeline.clock import FastClock
from lifeline.config import Influx
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id
from pipeline.mirror.boards import Boards
from pipeline.mirror.book import Book
from pipeline.mirror.desk import Assets, Desk
from pipeline.mirror.scrape import samples
from tests import town
from tests.tokens import BEARER, TOKEN

T0 = 1_767_000_000 * NS


def change(new: Level, at: float, well: int = 0) -> Change:
    """A level of a well, `at` seconds after the beginning."""
    t, key, rule = T0 + round(at * NS), f"laser-{well}/ch4", "gas.methane.limit"
    return Change(
        id=change_id(rule, key, t, new), t=t, city="town", district="Fenglu", domain=Domain.GAS, asset=f"well-{well}",
        device=f"laser-{well}", key=key, quantity="methane", rule=rule, hazard="gas_accumulation", kind=Kind.HAZARD,
        mode=Mode.ACTIVE, hard=True, old="NORMAL", new=new.name, score=1.0, lat=24.67, lon=102.91, owner="x",
        evidence=Evidence([t], [1.0], "%VOL", {}, "%VOL"),
    )  # fmt: skip


class Both:
    """A desk, and a mirror's view of it."""

    def __init__(self, folder: Path) -> None:
        self.catalog, self.clock = town.catalog(folder), FastClock(T0)
        self.database = Database(f"sqlite:///{folder / 'desk.db'}")
        settings = Settings("town", token=TOKEN, sources=())
        self.desk = TheDesk.of(settings, self.database, self.catalog, [Route("phone")], {}, self.clock)
        self.path = folder / "mirror.db"
        self.again()

    def again(self) -> None:
        """A mirror that has just been started."""
        self.book, self.refused = Book(self.path), list[str]()
        self.view = Desk("http://desk", BEARER, self.book, self.refused.append)
        self.view._http = Asked(self.desk)  # type: ignore[assignment]

    def tell(self, at: float, *said: Change) -> None:
        self.clock._now = T0 + round(at * NS)
        self.desk.take(list(said))

    def waiting(self) -> list[str]:
        return [x.decode() for x in self.book.spooled()[1]]


class Asked:
    """The desk's application, asked without a network."""

    def __init__(self, desk: TheDesk) -> None:
        self._app = app(desk)

    def get(self, path: str, params: dict[str, Any]) -> httpx.Response:
        async def work() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://desk", headers=BEARER) as http:
                return await http.get(path, params=params)

        return asyncio.run(work())


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    made = Both(tmp_path)
    yield made
    made.database.close()


def test_each_level_and_each_state_of_a_warning_waits_on_disk_once(both: Both) -> None:
    both.tell(1, change(Level.YELLOW, 0))
    assert both.view.follow() == 2
    both.tell(2, change(Level.ORANGE, 1))
    assert both.view.follow() == 2
    assert both.view.follow() == 0
    levels = [x for x in both.waiting() if x.startswith("level,")]
    tags = "asset=well-0,city=town,district=Fenglu,domain=gas,hazard=gas_accumulation"
    assert levels == [f'level,{tags} level="YELLOW",rank=2i {T0}\n', f'level,{tags} level="ORANGE",rank=3i {T0 + NS}\n']
    warnings = [x for x in both.waiting() if x.startswith("warning,")]
    assert [x.split("level=")[1].split()[0] for x in warnings] == ["YELLOW", "ORANGE"]
    assert all('state="open"' in x and "url=" in x and "title_zh=" in x for x in warnings)
    assert warnings[1].endswith(f" {T0 + 2 * NS}\n")


def test_what_is_written_after_the_desks_clock_was_set_back_is_not_lost(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    both.tell(7200, change(Level.YELLOW, 0))
    both.view.follow()
    monkeypatch.setattr("pipeline.mirror.desk.now", both.clock.now)
    both.tell(1, change(Level.ORANGE, 1))
    both.view.follow()
    assert [x.split('level="')[1].split('"')[0] for x in both.waiting() if x.startswith("level,")] == ["YELLOW", "ORANGE"]
    assert both.view.follow() == 0


def test_an_answered_warning_says_after_how_long(both: Both) -> None:
    both.tell(1, change(Level.YELLOW, 0))
    both.view.follow()
    assert not any("answer=" in x for x in both.waiting())
    (case,) = queries.listed(both.database, live=True)
    both.desk.book.acknowledge(case.id, "wang", "", case.raised + 90 * NS)
    both.view.follow()
    (told,) = [x for x in both.waiting() if 'state="taken"' in x]
    assert "answer=90.0" in told


def test_a_mirror_that_was_away_takes_what_it_has_missed_in_pages(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.mirror.desk.PAGE", 3)
    for i in range(10):
        both.tell(100 * i, *(change(Level.YELLOW, 100 * i, well) for well in range(i, i + 3) if well < 12))
    both.view.follow()
    whole = both.waiting()
    assert len([x for x in whole if x.startswith("level,")]) == 12
    both.book.written(10**9)
    both.again()
    both.tell(2000, change(Level.RED, 2000, 5))
    both.view.follow()
    assert [x for x in both.waiting() if "RED" in x and x.startswith("level,")]
    assert len(both.waiting()) < len(whole)  # it begins a minute earlier, not at the beginning


def test_a_desk_that_is_away_leaves_everything_unknown_and_costs_nothing(both: Both) -> None:
    both.tell(1, change(Level.RED, 0))

    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    good = both.view._http
    both.view._http = httpx.Client(base_url="http://desk", transport=httpx.MockTransport(away))
    assert both.view.follow() == 0
    assert both.view.why
    assets = Assets(both.catalog, "town")
    told = assets.lines(*both.view.assets(), T0).text.decode().splitlines()
    assert len(told) == len(set(both.catalog.asset.tolist()))
    assert all('level="UNKNOWN",rank=-1i' in x for x in told)
    both.view._http = good
    assert both.view.follow() == 2
    assert both.view.why == ""


def test_all_assets_are_told_each_minute_and_those_that_changed_at_once(both: Both) -> None:
    assets = Assets(both.catalog, "town")
    n = len(set(both.catalog.asset.tolist()))

    def told(t: int) -> list[str]:
        levels, opened = both.view.assets()
        lines = assets.lines(levels, opened, t).text.decode().splitlines()
        assets.written(levels, opened, t)
        return lines

    assert len(told(T0)) == n
    assert told(T0 + NS) == []
    both.tell(1, change(Level.RED, 0, 3))
    (line,) = told(T0 + 2 * NS)
    assert line.startswith("asset,asset=well-3,city=town,district=Fenglu,domain=gas lat=24.67,lon=102.91,")
    assert line.endswith(f'level="RED",rank=4i,open=1i {T0 + 2 * NS}')
    assert len(told(T0 + 60 * NS)) == n
    assert Counter(x.split('level="')[1].split('"')[0] for x in told(T0 + 121 * NS)) == {"RED": 1, "NORMAL": n - 1}


def test_figures_keep_their_labels_and_what_is_no_number_is_left_out() -> None:
    page = """# TYPE a_seconds histogram
a_seconds_bucket{le="0.1"} 1.0
a_seconds_bucket{le="+Inf"} 2.0
a_seconds_sum 0.5
# TYPE b gauge
b{of="x y"} NaN
b{of="z"} 3.0
# TYPE c counter
c_total 4.0
c_created 1.7e9
"""
    assert sorted(x.decode() for x in samples(page, "watch", 5, "h:1")) == [
        "a_seconds_bucket,instance=h:1,le=+Inf,process=watch value=2.0 5\n",
        "a_seconds_bucket,instance=h:1,le=0.1,process=watch value=1.0 5\n",
        "a_seconds_sum,instance=h:1,process=watch value=0.5 5\n",
        "b,instance=h:1,of=z,process=watch value=3.0 5\n",
        "c_total,instance=h:1,process=watch value=4.0 5\n",
    ]


def test_the_figures_of_two_desks_stand_beside_each_other_and_one_that_is_away_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(
        town.configured(tmp_path), influx=Influx(url="http://i", desks=("http://a:1/", "http://b:2", "http://c:3"))
    )

    def get(url: str, headers: Any) -> httpx.Response:
        name = httpx.URL(url).netloc.decode()
        asked.append((url, headers))
        status, told = (200, f"waiting {len(name)}.0\n") if name in {"a:1", "b:2"} else (503, "")
        return httpx.Response(status, text=told, request=httpx.Request("GET", url))

    asked: list[tuple[str, Any]] = []
    boards = Boards(config, town.catalog(tmp_path))
    monkeypatch.setattr(boards.scrape._http, "get", get)
    told = boards.scrape.lines(5).text.decode().splitlines()
    assert told == ["waiting,instance=a:1,process=desk value=3.0 5", "waiting,instance=b:2,process=desk value=3.0 5"]
    assert [u for u, _ in asked if u.endswith(("a:1/metrics", "b:2/metrics", "c:3/metrics"))] == [
        "http://a:1/metrics", "http://b:2/metrics", "http://c:3/metrics",
    ]  # fmt: skip
    assert boards.scrape.failures == {"receive": 1, "watch": 1, "mirror": 1, "desk": 1}
