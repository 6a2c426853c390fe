"""Alerts of other systems become warnings, and end as Alertmanager would end them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.case import Case
from alerts.lifecycle import LIVE
from alerts.queries import listed
from alerts.routing.external import External, Places, Posted, level
from alerts.tables import Database
from lifeline.clock import iso
from lifeline.model import NS, Level

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
Made = Callable[..., Any]
WELL = ("gas", "Fenglu", "gas company", 24.67, 102.91)


def instant(at: float) -> str:
    return iso(T0 + round(at * NS))


@pytest.fixture
def take(scene: Made) -> Callable[..., Any]:
    """Take alerts at an instant [s]; without any, end what is over. Says how the warnings stand then."""
    s = scene()
    taker = External(s.book, Places("chengjiang", "centre", 24.6, 102.9, {"W-1": WELL}))

    def work(at: float, *alerts: Posted) -> dict[tuple[str, str], Level]:
        now = T0 + round(at * NS)
        if alerts:
            _, problems = taker.take(alerts, now)
            assert problems == []
        taker.expire(now)
        return {(c.asset, c.hazard): c.level for c in cases(s.database) if c.state in LIVE}

    work.scene, work.taker = s, taker  # type: ignore[attr-defined]
    return work


def cases(database: Database) -> list[Case]:
    return listed(database, live=False)


def alert(end: float | None = None, start: float | None = None, **labels: str) -> Posted:
    starts, ends = (None if x is None else instant(x) for x in (start, end))
    return Posted({"alertname": "DiskFull", **labels}, {"summary": "no room"}, starts, ends)


def test_an_alert_stands_until_its_end_has_passed(take: Any) -> None:
    at = ("external", "DiskFull")
    assert take(0, alert(end=240)) == {at: Y}
    assert take(60, alert(end=300)) == {at: Y}
    assert take(299) == {at: Y}
    assert take(300) == {}
    assert take.scene.told("phone") == [(0, "raised YELLOW external"), (300, "resolved NORMAL external")]


def test_an_alert_said_to_be_over_ends_at_once(take: Any) -> None:
    take(0, alert(end=240))
    assert take(10, alert(start=0, end=9)) == {}
    assert take(11, alert(start=0, end=9)) == {}
    assert len(cases(take.scene.database)) == 1


def test_an_alert_without_an_end_is_over_after_the_resolve_timeout(take: Any) -> None:
    assert take(0, alert())
    assert take(299)
    assert take(300) == {}


def test_an_alert_that_fires_again_with_its_old_start_is_not_late(take: Any) -> None:
    take(0, alert(start=-500, end=240))
    take(10, alert(start=-500, end=9))
    assert take(20, alert(start=-500, end=300)) == {("external", "DiskFull"): Y}


def test_two_alerts_of_one_name_are_two_warnings(take: Any) -> None:
    stands = take(0, alert(instance="a"), alert(instance="b"), alert(asset="W-1"))
    assert stands == {
        ("external", "DiskFull {instance=a}"): Y,
        ("external", "DiskFull {instance=b}"): Y,
        ("W-1", "DiskFull"): Y,
    }
    assert len(take.scene.told("phone")) == 3


def test_two_severities_of_one_alert_are_one_warning_at_the_graver(take: Any) -> None:
    at = ("external", "DiskFull")
    assert take(0, alert(severity="warning", end=100), alert(severity="critical", end=50)) == {at: O}
    assert take(50) == {at: Y}
    assert take(100) == {}


def test_an_asset_of_the_catalog_gives_its_place(take: Any) -> None:
    take(0, alert(asset="W-1"), alert(asset="W-99", domain="water", district="Longjie", owner="water company"))
    known, said = sorted(cases(take.scene.database), key=lambda c: c.asset)
    assert (known.domain, known.district, known.owner, known.lat) == ("gas", "Fenglu", "gas company", 24.67)
    assert (said.domain, said.district, said.owner, said.lat) == ("water", "Longjie", "water company", 24.6)


@pytest.mark.parametrize(
    ("severity", "means"),
    [
        ("critical", O),
        ("RED", R),
        ("Red", R),
        ("红色", R),
        ("橙", O),
        ("warning", Y),
        ("info", B),
        ("", Y),
        ("sev-7", Y),
        ("page", O),
    ],
)
def test_a_severity_means_a_level(severity: str, means: Level) -> None:
    assert level({"severity": severity}) is means


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Posted({}), "labels"), (Posted({"a": ""}), "labels"), (Posted({"": "x"}), "name is empty"),
        (Posted({"a": "b"}, startsAt=instant(5), endsAt=instant(4)), "before startsAt"),
        (Posted({"a": "b"}, endsAt="tomorrow"), "isoformat"), (Posted({"a": "b"}, endsAt="2026-01-01T00:00:00"), "offset"),
        (Posted({"a": "b"}, startsAt="1800-01-01T00:00:00Z"), "no instant of this age"),
    ],
)  # fmt: skip
def test_a_bad_alert_costs_only_itself(take: Any, odd: Posted, why: str) -> None:
    _, problems = take.taker.take([odd, alert()], T0)
    assert len(problems) == 1
    assert why in problems[0]
    assert len(cases(take.scene.database)) == 1


def test_gos_zero_time_is_no_time(take: Any) -> None:
    assert take(0, Posted({"alertname": "x"}, startsAt="0001-01-01T00:00:00Z", endsAt="0001-01-01T00:00:00.000Z"))


def test_a_crash_between_the_end_and_its_record_ends_it_once(take: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    take(0, alert(end=100))
    real = take.scene.book.take

    def crash(*args: Any) -> None:
        real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(take.scene.book, "take", crash)
    with pytest.raises(KeyboardInterrupt):
        take(100)
    monkeypatch.undo()
    assert take(101) == {}
    assert [w for _, w in take.scene.told("phone")] == ["raised YELLOW external", "resolved NORMAL external"]


ACTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["warning", "critical", "RED"]), st.integers(1, 60), st.integers(-30, 90)),
    max_size=12,
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_is_said_the_warnings_stand_as_a_list_of_ends_would_have_it(
    tmp_path_factory: pytest.TempPathFactory, scene: Made, acts: list[tuple[str, str, int, int]]
) -> None:
    """The oracle keeps the end of each alert by its labels, and nothing else."""
    database = Database(f"sqlite:///{Path(tmp_path_factory.mktemp('desk')) / 'desk.db'}")
    s = scene()
    s.book.database = database
    taker = External(s.book, Places("chengjiang", "centre", 24.6, 102.9, {}))
    ends: dict[tuple[str, str], int] = {}
    now = 0
    for name, severity, later, end in acts:
        now += later
        at = T0 + now * NS
        taker.take([Posted({"alertname": name, "severity": severity}, endsAt=instant(now + end))], at)
        taker.expire(at)
        ends[name, severity] = now + end
        want: dict[str, Level] = {}
        for (n, sev), until in ends.items():
            if until > now:
                want[n] = max(want.get(n, N), level({"severity": sev}))
        assert {c.hazard: c.level for c in listed(database, live=True) if c.level} == want
    database.close()
