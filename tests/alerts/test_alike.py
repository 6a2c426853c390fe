"""What a case was like, and what became of it."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts import rows
from alerts.alike import WEIGHTS, Alike, alike, likeness, told
from alerts.book import Book
from alerts.case import Case, opened
from alerts.queries import listed
from alerts.roles import Role
from alerts.stages import Done, Stage
from lifeline.model import NS, Change, Level

N, B, Y, O, R = Level
AT = 1_767_000_100 * NS
DAY = 86_400
Say = Callable[..., Change]


def of(book: Book, asset: str, at: float) -> list[Alike]:
    case = next(c for c in listed(book.database, live=False) if c.asset == asset and (c.onset // NS) == 1_767_000_000 + at)
    with book.database.read() as db:
        return alike(db, rows.find(db, case.id) or case)


def past(book: Book, say: Say, at: float, device: str, asset: str, level: Level = O, **more: str) -> str:
    """One that came and went."""
    book.take([say(level, at, device, asset, **more), say(N, at + 60, device, asset, **more)], AT)
    return next(c.id for c in listed(book.database, live=False) if c.onset == (1_767_000_000 + at) * NS)


def test_the_same_hazard_at_the_same_asset_at_the_same_hour_is_the_likest_and_its_outcome_is_told(book: Book, say: Say) -> None:
    same = past(book, say, 0, "d1", "W-1")
    past(book, say, 0.5 * DAY, "d2", "W-2", Y)
    past(book, say, 1 * DAY, "d3", "W-3", hazard="biogas", rule="gas.biogas")
    book.done(same, Stage.ASSESS, Done("Wang", "smelt it", verdict="hazard"), Role.ANALYST, AT)
    book.done(same, Stage.ACCOUNT, Done("Wang", "a cracked joint", verdict="hazard"), Role.ANALYST, AT)
    book.take([say(O, 2 * DAY)], AT)
    found = of(book, "W-1", 2 * DAY)
    assert (found[0].case.asset, found[0].verdict, found[0].note) == ("W-1", "hazard", "a cracked joint")
    assert [a.case.asset for a in found] == ["W-1", "W-2", "W-3"]
    assert found[0].likeness == pytest.approx(1.0, abs=0.01)
    assert told(found)[0]["peak"] == "ORANGE"


def test_what_comes_later_still_stands_or_is_of_another_domain_is_no_past(book: Book, say: Say) -> None:
    book.take([say(O, 10)], AT)
    book.take([say(O, 5, "d2", "W-2")], AT)
    past(book, say, 20, "d3", "W-3")
    past(book, say, 1, "d4", "B-1", domain="bridge")
    assert of(book, "W-1", 10) == []


def test_of_two_as_like_the_one_with_a_verdict_comes_first(book: Book, say: Say) -> None:
    past(book, say, 0, "d2", "W-2")
    second = past(book, say, 1, "d3", "W-3")
    book.done(second, Stage.ASSESS, Done("Wang", verdict="operation"), Role.ANALYST, AT)
    book.take([say(O, 100)], AT)
    assert [a.verdict for a in of(book, "W-1", 100)] == ["operation", ""]


ASSETS, KINDS = st.sampled_from(["W-1", "W-2"]), st.sampled_from(["gas_accumulation", "biogas"])
known = st.tuples(ASSETS, KINDS, st.integers(0, 4), st.integers(-(10**8), 0))


@given(known=st.lists(known, min_size=1, max_size=8))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_likeness_is_that_of_a_plain_loop(known: list[tuple[str, str, int, int]], say: Say) -> None:
    def case(asset: str, hazard: str, peak: int, onset: int) -> Case:
        made = opened(say(O, asset=asset, hazard=hazard), AT)
        return replace(made, peak=Level(peak), onset=made.onset + onset * NS)

    me = case("W-1", "gas_accumulation", 3, 0)
    others = [case(*k) for k in known]

    def plain(other: Case) -> float:
        apart = abs(other.onset - me.onset) / NS
        ring = {p: 1 - min(apart % p, p - apart % p) / (p / 2) for p in (86_400.0, 365.2425 * 86_400.0)}
        day, year = ring.values()
        parts = {
            "hazard": float(other.hazard == me.hazard), "asset": float(other.asset == me.asset), "district": 1.0, "owner": 1.0,
            "peak": 1 - abs(other.peak - me.peak) / 4, "day": day, "year": year,
        }  # fmt: skip
        return sum(WEIGHTS[k] * v for k, v in parts.items()) / sum(WEIGHTS.values())

    assert likeness(me, others).tolist() == pytest.approx([plain(o) for o in others])
