"""What belongs together, and why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from alerts.book import Book
from alerts.joins import JoinsRefused, Spot, distance, joins, load
from alerts.notice import Notice
from alerts.queries import history, listed
from alerts.tables import outbox
from lifeline.model import NS, Change, Domain, Level

N, B, Y, O, R = Level
AT = 1_767_000_100 * NS
NORTH = 1 / 111_195  # [°] of latitude that are one metre
Say = Callable[..., Change]
HOUR = 3600 * NS


def spot(name: str, domain: str, hazard: str, metres: float = 0.0, onset: int = 0) -> Spot:
    return Spot(name, name, domain, hazard, 24.0 + metres * NORTH, 102.0, onset)


def test_the_distance_is_that_of_the_great_circle() -> None:
    # Vienna to Graz by the haversine formula on a sphere of 6371.0088 km: 143.7 km
    a, b = (Spot(n, n, "gas", "gas_x", lat, lon, 0) for n, lat, lon in (("w", 48.2082, 16.3738), ("g", 47.0707, 15.4395)))
    assert distance(a, b) == pytest.approx(144.6e3, rel=0.01)
    assert distance(spot("a", "gas", "x"), spot("b", "gas", "x", 40.0)) == pytest.approx(40.0, rel=1e-3)


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        (("gas", "gas_accumulation", 0, 0), ("gas", "gas_accumulation", 40, 1), True),  # wells in a row
        (("gas", "gas_accumulation", 0, 0), ("gas", "gas_accumulation", 400, 1), False),
        (("gas", "gas_accumulation", 0, 0), ("gas", "gas_accumulation", 40, 25), False),  # a day later
        (("water", "water_burst", 0, 0), ("bridge", "bridge_tilt", 100, 48), True),  # scour
        (("bridge", "bridge_tilt", 0, 0), ("water", "water_burst", 100, 48), True),  # whichever came first
        (("water", "water_burst", 0, 0), ("elevator", "entrapment", 20, 0), False),
        (("elevator", "entrapment", 0, 0), ("elevator", "door_fault", 0, 1), True),  # the same lift
    ],
)
def test_the_shipped_table_joins_neighbours_and_other_domains_within_reach(one: Any, other: Any, *, joined: bool) -> None:
    a, b = (spot(n, d, h, m, t * HOUR) for n, (d, h, m, t) in (("a", one), ("b", other)))
    assert bool(joins(load(), b, [a])) is joined
    assert bool(joins(load(), a, [b])) is joined


@given(st.lists(st.tuples(st.sampled_from(["gas", "water", "bridge"]), st.floats(2, 1000), st.integers(0, 100)), max_size=12))
def test_the_nearest_comes_first_and_none_is_beyond_its_rule(others: list[tuple[str, float, int]]) -> None:
    hazards = {"gas": "gas_accumulation", "water": "water_burst", "bridge": "bridge_tilt"}
    known = [spot(f"s{i}", d, hazards[d], m, t * HOUR) for i, (d, m, t) in enumerate(others)]
    me = spot("me", "water", "water_burst")
    found = joins(load(), me, known)
    assert [f.distance for f in found] == sorted(f.distance for f in found)
    limits = {"gas": (50, 72), "water": (800, 24), "bridge": (150, 72)}  # [m], [h] of the shipped table
    fits = {s.id for s in known if distance(me, s) <= limits[s.domain][0] and s.onset <= limits[s.domain][1] * HOUR}
    assert {f.to for f in found} == fits


def test_what_is_joined_says_so_to_its_people_and_is_one_incident(book: Book, say: Say) -> None:
    book.take([say(O), say(O, 60, "d2", "W-2", lat=24.67 + 40 * NORTH), say(O, 70, "d3", "W-3", lat=24.67 + 2000 * NORTH)], AT)
    warnings = {c.asset: c for c in listed(book.database, live=True)}
    with book.database.read() as db:
        mine = select(outbox.c.body).where(outbox.c.warning == warnings["W-2"].id, outbox.c.channel == "phone")
        notice = msgspec.json.decode(db.execute(mine).scalar_one(), type=Notice)
    assert f"关联：与 W-1 的可燃气体聚集预警（{warnings['W-1'].id}）合并研判" in notice.texts.zh
    assert "(40 m away)" in notice.texts.en
    known = history(book.database, warnings["W-2"].id, AT)
    assert known is not None
    assert known["incident"]["lead"] == warnings["W-1"].id
    assert [m["asset"] for m in known["incident"]["members"]] == ["W-1", "W-2"]
    alone = history(book.database, warnings["W-3"].id, AT)
    assert alone is not None
    assert len(alone["incident"]["members"]) == 1


def test_one_that_lies_between_two_incidents_makes_them_one(book: Book, say: Say) -> None:
    book.take([say(O), say(O, 60, "d2", "W-2", lat=24.67 + 300 * NORTH)], AT)
    assert len({(history(book.database, c.id, AT) or {})["incident"]["lead"] for c in listed(book.database, live=True)}) == 2
    book.take([say(O, 90, "d3", "W-3", lat=24.67 + 150 * NORTH)], AT)
    found = [(history(book.database, c.id, AT) or {})["incident"] for c in listed(book.database, live=True)]
    assert len({i["lead"] for i in found}) == 1
    assert {m["asset"] for m in found[0]["members"]} == {"W-1", "W-2", "W-3"}


def test_a_ticket_joins_nothing_until_it_is_a_hazard(book: Book, say: Say) -> None:
    book.take([say(O), say(Y, 5, "d2", "W-2", hazard="stuck", kind="ticket", rule="gas.stuck")], AT)
    ticket = next(c for c in listed(book.database, live=True) if c.asset == "W-2")
    assert (history(book.database, ticket.id, AT) or {})["incident"] is None


def test_everything_wrong_with_a_table_is_said_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "joins.csv"
    head = "domain,hazard,other_domain,other_hazard,reach,within,zh,en\n"
    path.write_text(head + "gas,*,gas,*,200,24h,a,b\ngas,*,gas,*,200 m,1 year,a,b\ngas,*,gas,*,200 m,1h,,b\n", "utf-8")
    with pytest.raises(JoinsRefused) as why:
        load(path)
    assert [line.split(": ")[0] for line in str(why.value).splitlines()] == [f"{path}:2", f"{path}:3", f"{path}:4"]


def test_the_shipped_table_names_domains_that_there_are() -> None:
    for rule in load():
        assert {rule.one[0], rule.other[0]} <= {*Domain, "*"}
