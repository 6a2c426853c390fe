"""What people enter goes before the plan; gaps are found beforehand, and are warnings of their own."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alerts import queries
from alerts.book import Book
from alerts.duty import Duty, board, enter, load
from alerts.duty.days import Times
from alerts.duty.enter import Entered, NotEntered
from alerts.duty.gaps import Flaw, gaps, stints, troubles
from alerts.duty.guard import HAZARD, LATER, NOW, Guard
from alerts.duty.ical import read, write
from alerts.duty.layers import Roster, Rotation
from alerts.duty.people import People, Person, Role, Unit
from alerts.duty.rosters import Rosters
from alerts.route import Route
from alerts.tables import Database, audit, outbox
from lifeline.clock import parse
from lifeline.model import NS, Kind, Level

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3600 * NS, 86_400 * NS
T0: Final = parse("2026-10-24T06:00:00Z")  # the clocks change in the night
NAMES: Final = ("a", "b", "c")


def person(name: str, **more: Any) -> Person:
    return Person(name, name, name, "gas", ("duty",), contacts={"phone": "1"}, **more)


def people(*, channels: tuple[str, ...] = (), least: int = 1) -> People:
    roles = {"duty": Role("值班", "duty", ("z",), least, channels), "leader": Role("经理", "manager")}
    boss = Person("z", "z", "z", "gas", ("leader",), contacts={"phone": "1"})
    return People([Unit("gas", "燃气公司", "Gas", "operator", roles)], [*map(person, NAMES), boss])


def rotation(*names: str, hours: int = 8, until: str = "") -> Rotation:
    begin = datetime.fromisoformat("2026-10-01 08:00")
    end = datetime.fromisoformat(until) if until else None
    return Rotation(tuple((n,) for n in names), Times(BERLIN), begin, timedelta(hours=hours), end)


def rosters(plan: Rotation, database: Database, longest: float | None = None, who: People | None = None) -> Rosters:
    return Rosters(who or people(), {("gas", "duty"): Roster("gas", "duty", (plan,), longest)}, database)


@pytest.fixture
def made(database: Database) -> Rosters:
    """a, b and c in turn, eight hours each."""
    return rosters(rotation(*NAMES), database)


def asked(name: str, start: int, until: int, **more: Any) -> Entered:
    facts: dict[str, Any] = {
        "unit": "gas",
        "role": "duty",
        "person": name,
        "start": start,
        "until": until,
        "by": "me",
        "reason": "ill",
    }
    return Entered(**(facts | more))


def entered(made: Rosters, *wanted: Entered, at: int = 0) -> list[int]:
    assert made.database is not None
    with made.database.write() as db:
        return [enter.override(db, made, w, at).id for w in wanted]


def on(made: Rosters, t: int) -> list[str]:
    return [p.id for p in made.on_duty("gas", "duty", t)]


# ---------------------------------------------------------------- overrides


def test_an_override_goes_before_the_plan_from_its_first_instant_to_its_last(made: Rosters) -> None:
    plan = [on(made, T0 + k * HOUR) for k in (1, 2, 5, 6)]
    entered(made, asked("z", T0 + 2 * HOUR, T0 + 6 * HOUR))
    assert [on(made, T0 + 2 * HOUR - 1), on(made, T0 + 2 * HOUR), on(made, T0 + 6 * HOUR - 1), on(made, T0 + 6 * HOUR)] == [
        plan[0], ["z"], ["z"], plan[3],
    ]  # fmt: skip


def test_a_later_override_goes_before_an_earlier_one_and_cancelling_brings_it_back(made: Rosters, database: Database) -> None:
    first, second = entered(made, asked("a", T0, T0 + DAY), asked("b", T0 + HOUR, T0 + 2 * HOUR))
    assert [on(made, T0 + h * HOUR) for h in (0, 1, 2)] == [["a"], ["b"], ["a"]]
    with database.write() as db:
        enter.cancel(db, second, "me", "well again", T0)
    assert on(made, T0 + HOUR) == ["a"]
    with database.read() as db:
        history = enter.history(db, "gas", "duty")
    assert [(h["id"], h["cancelled_by"], h["cancelled_because"]) for h in history] == [
        (second, "me", "well again"),
        (first, None, None),
    ]


def test_one_may_be_replaced_leave_or_come_in_addition(database: Database) -> None:
    begin = datetime.fromisoformat("2026-10-01 08:00")
    made = rosters(Rotation((("a", "b"),), Times(BERLIN), begin), database)
    hour = iter(range(100))

    def when() -> tuple[int, int]:
        h = next(hour)
        return T0 + h * HOUR, T0 + (h + 1) * HOUR

    entered(made, *(asked(p, *when(), instead=i) for p, i in (("c", "a"), ("c", ""), ("", "a"), ("", "*"), ("a", "b"))))
    assert [on(made, T0 + h * HOUR) for h in range(6)] == [
        ["c", "b"], ["a", "b", "c"], ["b"], ["z"], ["a"], ["a", "b"],
    ]  # fmt: skip
    assert [made.found("gas", "duty", T0 + h * HOUR).gap for h in range(6)] == [h == 3 for h in range(6)]


overrides = st.builds(
    lambda p, i, start, length: asked(p, T0 + start * HOUR // 2, T0 + (start + length) * HOUR // 2, instead=i),
    st.sampled_from([*NAMES, "z"]), st.sampled_from(["*", "", *NAMES]), st.integers(-10, 60), st.integers(1, 40),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    wanted=st.lists(overrides, max_size=5),
    gone=st.sets(st.integers(0, 4)),
    ask=st.lists(st.integers(0, 2 * 86_400 - 1), max_size=20),
)
def test_overrides_give_what_is_reckoned_one_by_one(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[Entered], gone: set[int], ask: list[int]
) -> None:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('d') / 'desk.db'}")
    made = rosters(rotation(*NAMES), database)
    ids = [i for w in wanted for i in tried(made, w)]
    with database.write() as db:
        for i in gone & set(range(len(ids))):
            enter.cancel(db, ids[i], "me", "x", 0)
        entries = {h["id"]: h for h in enter.history(db, "gas", "duty")}
    left = [Entered(**{k: entries[i][k] for k in Entered.__struct_fields__}) for i in ids if entries[i]["cancelled"] is None]
    shifts = made.shifts("gas", "duty", T0, T0 + 2 * DAY)
    for t in (T0 + s * NS for s in ask):
        expected = reckoned(rotation(*NAMES).at(t), left, t)
        assert set(on(made, t)) == set(expected or ["z"])
        (there,) = (s for s in shifts if s.start <= t < s.end)
        assert set(there.persons) == set(expected)
    database.close()


def tried(made: Rosters, wanted: Entered) -> list[int]:
    """Nothing, where the one to be replaced is not on duty at all."""
    try:
        return entered(made, wanted)
    except NotEntered as why:
        assert "is not on duty then" in str(why)  # noqa: PT017  it is allowed either way
        shifts = made.shifts("gas", "duty", wanted.start, wanted.until)
        assert all(wanted.instead not in s.persons for s in shifts)
        return []


def reckoned(plan: Sequence[str], wanted: Sequence[Entered], t: int) -> list[str]:
    """Oracle."""
    there = list(plan)
    for w in wanted:
        if w.start <= t < w.until:
            if w.instead == "*":
                there = [w.person]
            elif w.instead == "":
                there = [*there, w.person]
            elif w.instead in there:
                there = [i for i in there if i != w.instead] + [w.person]
    return list(dict.fromkeys(there))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"person": "x"}, "nobody has the id 'x'"),
        ({"instead": "x"}, "nobody has the id 'x'"),
        ({"person": "", "instead": ""}, "nobody comes and nobody goes"),
        ({"start": T0 + DAY}, "ends before it begins"),
        ({"start": 0, "until": 10}, "is over already"),
        ({"until": T0 + 401 * DAY}, "is longer than 400 days"),
        ({"until": 2**63}, "must be instants"),
        ({"instead": "z"}, "z is not on duty then"),
        ({"by": " "}, "say who enters it"),
        ({"reason": ""}, "say who enters it"),
        ({"reason": "x" * 10_001}, "too long"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_leaves_nothing(
    made: Rosters, database: Database, change: dict[str, Any], why: str
) -> None:
    with pytest.raises(NotEntered, match=why):
        entered(made, asked("a", **({"start": T0, "until": T0 + DAY} | change)), at=T0)
    with database.read() as db:
        assert enter.history(db, "gas", "duty") == []


def test_an_unknown_role_or_override_is_refused(made: Rosters, database: Database) -> None:
    with pytest.raises(LookupError, match="there is no role gas/night"):
        entered(made, asked("a", T0, T0 + DAY, role="night"))
    with database.write() as db, pytest.raises(LookupError, match="there is no override 7"):
        enter.cancel(db, 7, "me", "x", T0)


def test_an_override_is_cancelled_once(made: Rosters, database: Database) -> None:
    (one,) = entered(made, asked("a", T0, T0 + DAY))
    with database.write() as db:
        enter.cancel(db, one, "me", "x", T0)
        with pytest.raises(NotEntered, match="was cancelled before"):
            enter.cancel(db, one, "you", "y", T0)


def test_everything_that_is_entered_is_in_the_audit_trail(made: Rosters, database: Database) -> None:
    (one,) = entered(made, asked("a", T0, T0 + DAY))
    with database.write() as db:
        enter.cancel(db, one, "me", "x", T0)
        enter.hand_over(db, made.people, "gas", "duty", "a", "well 3 is open", T0)
        enter.edit(db, made.people, ["phone"], "a", {"contacts": {"phone": "2"}}, by="me", reason="x", at=T0)
        said = db.execute(select(audit.c.act, audit.c.by, audit.c.detail).order_by(audit.c.id)).all()
    assert [(act, by) for act, by, _ in said] == [
        ("duty_override", "me"), ("duty_cancelled", "me"), ("duty_handover", "a"), ("duty_person", "me"),
    ]  # fmt: skip
    assert '"2"' not in said[-1][2]  # no addresses


# ---------------------------------------------------------------- persons


def edited(made: Rosters, name: str, **changed: Any) -> None:
    assert made.database is not None
    with made.database.write() as db:
        enter.edit(db, made.people, ["phone", "mail"], name, changed, by="me", reason="x", at=T0)


def test_who_is_taken_off_is_on_no_roster_and_leaves_a_gap(made: Rosters) -> None:
    (first,) = on(made, T0)
    edited(made, first, active=False)
    assert (on(made, T0), made.found("gas", "duty", T0).gap) == (["z"], True)
    edited(made, first, active=True)
    assert on(made, T0) == [first]


def test_what_is_not_changed_stays_as_in_the_file(made: Rosters) -> None:
    edited(made, "a", zh="新名")
    edited(made, "a", contacts={"mail": "a@example.org"})
    a = made.now().person("a")
    assert (a.zh, a.en, a.roles, a.contacts) == ("新名", "a", ("duty",), {"mail": "a@example.org"})


def test_somebody_may_be_added_and_take_over(made: Rosters) -> None:
    edited(made, "new", zh="新人", en="New", unit="gas", roles=["leader"], contacts={"phone": "9"})
    entered(made, asked("new", T0, T0 + DAY))
    (found,) = made.on_duty("gas", "duty", T0)
    assert (found.id, found.zh, found.contacts) == ("new", "新人", {"phone": "9"})
    assert [p.id for p in made.on_duty("gas", "leader", T0)] == ["z", "new"]


def test_who_has_left_the_file_is_not_there_because_they_were_changed_once(made: Rosters, database: Database) -> None:
    edited(made, "a", contacts={"phone": "7"})
    entered(made, asked("a", T0, T0 + DAY))
    file = People(made.people.units.values(), [p for p in made.people.persons.values() if p.id != "a"])
    assert on(Rosters(file, made.rosters, database), T0) == ["z"]


@pytest.mark.parametrize(
    "changed",
    [{"unit": "x"}, {"roles": ["x"]}, {"contacts": {"x": "1"}}, {"contacts": {"phone": " "}}, {"language": "fr"}],
    ids=str,
)
def test_a_person_cannot_be_changed_into_what_there_is_not(made: Rosters, changed: dict[str, Any]) -> None:
    with pytest.raises(NotEntered):
        edited(made, "a", **changed)
    with pytest.raises(NotEntered, match="one word of letters"):
        edited(made, "a b", unit="gas")


# ---------------------------------------------------------------- calendars


def test_a_calendar_is_imported_as_overrides_and_imported_again_changes_nothing(database: Database, tmp_path: Path) -> None:
    other = rosters(rotation("c", "b", "a", hours=12), database)
    served = stints(other, "gas", "duty", T0, T0 + 10 * DAY)
    made = rosters(rotation(*NAMES), Database(f"sqlite:///{tmp_path / 'other.db'}"))
    assert taken(made, write(served, made.people, T0, "x"), T0) == (20, 0)
    for h in range(240):
        assert on(made, T0 + h * HOUR) == on(other, T0 + h * HOUR)
    assert taken(made, write(served, made.people, T0, "x"), T0 + DAY) == (0, 0)
    assert taken(made, write(served[5:], made.people, T0, "x"), T0) == (0, 5)
    assert on(made, T0) == list(rotation(*NAMES).at(T0))
    assert taken(made, write(served[5:], made.people, T0, "x"), T0, name="another") == (15, 0)
    assert made.database is not None
    made.database.close()


def taken(made: Rosters, content: bytes, at: int, name: str = "x") -> tuple[int, int]:
    assert made.database is not None
    with made.database.write() as db:
        wanted = asked("", at, at + 30 * DAY, origin=name)
        return enter.import_feed(db, made.people, read(content, BERLIN, made.people), wanted, at)


def test_several_who_are_on_duty_together_are_imported_together(database: Database) -> None:
    together = Rotation((("a", "b"), ("b", "c")), Times(BERLIN), datetime.fromisoformat("2026-10-01 08:00"), timedelta(days=1))
    other, made = rosters(together, database), rosters(rotation("z"), database)
    taken(made, write(stints(other, "gas", "duty", T0, T0 + 4 * DAY), made.people, T0, "x"), T0)
    assert [sorted(on(made, T0 + 2 * HOUR + d * DAY)) for d in range(5)] == [
        ["b", "c"], ["a", "b"], ["b", "c"], ["a", "b"], ["z"],
    ]  # fmt: skip


# ---------------------------------------------------------------- gaps


def test_a_gap_is_found_from_its_first_instant_to_its_last(made: Rosters) -> None:
    assert gaps(made, "gas", "duty", T0, T0 + 30 * DAY) == []
    entered(made, asked("", T0 + 3 * HOUR, T0 + 30 * HOUR), asked("a", T0 + 10 * HOUR, T0 + 11 * HOUR))
    assert [(s.start, s.end) for s in gaps(made, "gas", "duty", T0, T0 + 30 * DAY)] == [
        (T0 + 3 * HOUR, T0 + 10 * HOUR),
        (T0 + 11 * HOUR, T0 + 30 * HOUR),
    ]


def test_fewer_than_must_be_is_a_gap_and_those_who_are_there_are_told(database: Database) -> None:
    made = rosters(rotation(*NAMES), database, who=people(least=2))
    assert made.found("gas", "duty", T0).gap
    assert on(made, T0) == list(rotation(*NAMES).at(T0))
    assert [(s.start, s.end) for s in gaps(made, "gas", "duty", T0, T0 + DAY)] == [(T0, T0 + DAY)]


def flaws(made: Rosters, days: int = 3) -> list[tuple[Flaw, str, str]]:
    return [(t.flaw, t.person, t.detail) for t in troubles(made, T0, T0 + days * DAY)]


def test_who_is_on_duty_and_cannot_be_reached_is_found_once(database: Database) -> None:
    made = rosters(rotation(*NAMES), database, who=people(channels=("phone", "sms")))
    assert sorted(flaws(made)) == [(Flaw.UNREACHABLE, "", "fallback"), *((Flaw.UNREACHABLE, n, "sms") for n in NAMES)]
    other = rosters(rotation("a"), database)
    edited(other, "a", contacts={})
    assert flaws(other) == [(Flaw.UNREACHABLE, "a", "*")]


def test_a_fallback_that_nothing_reaches_is_found_before_it_is_needed(made: Rosters) -> None:
    edited(made, "z", contacts={})
    assert sorted((t.role, t.person, t.detail) for t in troubles(made, T0, T0 + DAY)) == [
        ("duty", "", "fallback"), ("leader", "", "fallback"), ("leader", "z", "*"),
    ]  # fmt: skip
    edited(made, "z", active=False)
    assert ("leader", Flaw.GAP) in {(t.role, t.flaw) for t in troubles(made, T0, T0 + DAY)}


def test_double_duty_and_shifts_that_are_too_long_are_found(database: Database) -> None:
    made = rosters(rotation("a", "b"), database, longest=8 * 3600.0)
    made.rosters["gas", "leader"] = Roster("gas", "leader", (rotation("a", hours=24 * 7),))
    found = troubles(made, T0, T0 + 2 * DAY)
    assert {t.flaw for t in found} == {Flaw.DOUBLE, Flaw.LONG}
    (long,) = (t for t in found if t.flaw is Flaw.LONG)
    assert [t for t in troubles(made, long.start + HOUR, long.start + 2 * HOUR) if t.flaw is Flaw.LONG] == [long]
    assert (long.end - long.start) // HOUR == 9  # in the night in which the clocks go back
    doubled = [t for t in found if t.flaw is Flaw.DOUBLE]
    assert {t.person for t in doubled} == {"a"}
    for t in range(T0, T0 + 2 * DAY, HOUR):
        both = on(made, t) == ["a"] == [p.id for p in made.on_duty("gas", "leader", t)]
        assert both is any(d.start <= t < d.end for d in doubled)


def test_one_duty_after_another_is_no_double_duty(database: Database) -> None:
    made = rosters(rotation("a", "b"), database)
    made.rosters["gas", "leader"] = Roster("gas", "leader", (rotation("b", "a"),))
    assert troubles(made, T0, T0 + 2 * DAY) == []


# ---------------------------------------------------------------- the desk's own warnings


@pytest.fixture
def guarded(database: Database) -> Callable[[Rotation], Guard]:
    def make(plan: Rotation) -> Guard:
        made = rosters(plan, database)
        book = Book(database, [Route("phone")])
        return Guard(book, Duty(made.people, made, BERLIN, frozenset({"phone"})), "chengjiang", 24.67, 102.91)

    return make


def standing(database: Database) -> list[tuple[str, Level, Kind, str]]:
    return [(c.asset, c.level, c.kind, c.owner) for c in queries.listed(database, live=True) if c.level]


def test_a_covered_roster_says_nothing(guarded: Callable[[Rotation], Guard], database: Database) -> None:
    guard = guarded(rotation(*NAMES))
    assert not guard.check(T0)
    assert (guard.wrong(T0), standing(database)) == ([], [])


def test_a_gap_ahead_is_a_ticket_a_gap_now_a_hazard_and_the_end_of_it_clears(
    guarded: Callable[[Rotation], Guard], database: Database
) -> None:
    guard = guarded(rotation(*NAMES, until="2026-11-01 08:00"))
    assert not guard.check(T0)  # more than a week ahead
    assert guard.check(T0 + 2 * DAY)
    assert standing(database) == [("gas/duty", Level.YELLOW, Kind.TICKET, "燃气公司")]
    assert guard.wrong(T0 + 2 * DAY) == []
    end = parse("2026-11-01T08:00:00+01:00")
    assert not guard.check(end - NS)
    assert guard.check(end)
    assert standing(database) == [("gas/duty", Level.ORANGE, Kind.HAZARD, "燃气公司")]
    assert guard.wrong(end)[0].startswith("gas/duty: ")
    assert "z" in guard.wrong(end)[0]
    entered(guard.duty.rosters, asked("a", end, end + 40 * DAY), at=end)
    assert guard.check(end + NS)
    assert (standing(database), guard.wrong(end + NS)) == ([], [])
    with database.read() as db:
        acts = db.execute(select(audit.c.act).where(audit.c.act.like("duty_%")).order_by(audit.c.id)).scalars().all()
        told = db.execute(select(outbox.c.body).order_by(outbox.c.version)).scalars().all()
    assert acts == ["duty_gap", "duty_gap", "duty_override", "duty_filled", "duty_filled"]
    assert len(told) == 3  # raised, worse, resolved
    assert "值班空缺" in told[0]
    assert "燃气公司 值班 / Gas duty" in told[0]


def test_a_gap_that_is_over_before_anybody_looked_again_ends(guarded: Callable[[Rotation], Guard], database: Database) -> None:
    guard = guarded(rotation(*NAMES))
    entered(guard.duty.rosters, asked("", T0 + HOUR, T0 + 2 * HOUR))
    assert guard.check(T0)
    assert guard.check(T0 + 3 * HOUR)
    assert standing(database) == []


def test_a_desk_that_begins_anew_says_nothing_twice_and_forgets_nothing(
    guarded: Callable[[Rotation], Guard], database: Database
) -> None:
    guard = guarded(rotation(*NAMES))
    (one,) = entered(guard.duty.rosters, asked("", T0, T0 + DAY))
    assert guard.check(T0)
    anew = guarded(rotation(*NAMES))
    assert not anew.check(T0 + NS)
    with database.write() as db:
        enter.cancel(db, one, "me", "x", T0)
    assert guarded(rotation(*NAMES)).check(T0 + 2 * NS)
    assert standing(database) == []


def test_a_role_that_is_no_longer_there_is_warned_of_no_more(guarded: Callable[[Rotation], Guard], database: Database) -> None:
    guard = guarded(rotation(*NAMES))
    entered(guard.duty.rosters, asked("", T0, T0 + DAY))
    assert guard.check(T0)
    empty = People([], [])
    gone = Guard(guard.book, Duty(empty, Rosters(empty, {}, database), BERLIN, frozenset()), "chengjiang", 0.0, 0.0)
    assert gone.check(T0 + NS)
    assert standing(database) == []


def test_someone_who_cannot_be_reached_is_a_ticket(guarded: Callable[[Rotation], Guard], database: Database) -> None:
    guard = guarded(rotation(*NAMES))
    edited(guard.duty.rosters, "b", contacts={})
    assert guard.check(T0)
    assert standing(database) == [("gas/duty", Level.YELLOW, Kind.TICKET, "燃气公司")]
    assert not any(guard.check(T0 + h * HOUR) for h in range(7 * 24))  # the ticket does not come and go with each turn
    assert {r.name for r in (NOW, LATER)} == {"duty.roster.now", "duty.roster.ahead"}
    assert HAZARD == "duty_gap"


# ---------------------------------------------------------------- as people ask


def test_who_is_on_duty_now_until_when_and_who_is_next(made: Rosters, database: Database) -> None:
    duty = Duty(made.people, made, BERLIN, frozenset())
    with database.read() as db:
        told = {f"{s['unit']}/{s['role']}": s for s in board.overview(duty, T0, db)}
    assert told["gas/duty"]["until"] == "2026-10-24T14:00:00.000Z"
    assert [p["id"] for p in told["gas/duty"]["next"]] == on(made, T0 + 8 * HOUR)
    assert (told["gas/leader"]["until"], told["gas/leader"]["roster"], told["gas/leader"]["next"]) == (None, False, [])
    assert "1" not in str(told["gas/duty"]["now"])  # no addresses


def test_a_note_is_shown_to_the_next_on_duty(made: Rosters, database: Database) -> None:
    with database.write() as db:
        enter.hand_over(db, made.people, "gas", "duty", "a", "3 号井正在检修", T0 - HOUR)
        enter.hand_over(db, made.people, "gas", "leader", "z", "other", T0 - HOUR)
        enter.hand_over(db, made.people, "gas", "duty", "a", "old", T0 - 30 * DAY)
    duty = Duty(made.people, made, BERLIN, frozenset())
    with database.read() as db:
        told = board.plan(duty, "gas", "duty", T0, T0 + DAY, db)
    assert [n["text"] for n in told["handovers"]] == ["3 号井正在检修"]


def test_a_duty_of_a_file_is_one_with_a_database(tmp_path: Path, database: Database) -> None:
    (tmp_path / "people.toml").write_text(
        '[units.gas]\nzh = "燃气"\nen = "gas"\nkind = "operator"\n[units.gas.roles.duty]\nzh = "值班"\nen = "duty"\n'
        '[persons]\na = { zh = "a", en = "a", unit = "gas", roles = ["duty"] }\nb = { zh = "b", en = "b", unit = "gas" }\n'
    )
    duty = load(tmp_path / "people.toml", [], BERLIN).over(database)
    entered(duty.rosters, asked("b", T0, T0 + DAY))
    assert [[p.id for p in duty.on_duty("gas", "duty", t)] for t in (T0, T0 + DAY)] == [["b"], ["a"]]
    with database.read() as db:
        assert [p.id for p in duty.on_duty("gas", "duty", T0, db)] == ["b"]
