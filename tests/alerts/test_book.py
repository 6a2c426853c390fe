"""What the desk remembers and whom it will tell."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Dialect, Select, UpdateBase, event, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateTable

from alerts import rows, spool
from alerts.book import Book, Taken, UnknownWarning
from alerts.case import Case
from alerts.database import _inserting, _putting
from alerts.judge import Standing, judge
from alerts.lifecycle import ACTIVE, LIVE, Refused, State
from alerts.notice import Notice
from alerts.queries import history, listed
from alerts.roles import Forbidden, Role
from alerts.route import Route
from alerts.tables import META, Database, audit, changes, outbox, standings
from lifeline.model import NS, Change, Kind, Level, Mode, warning_id

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
AT = T0 + NS
Say = Callable[..., Change]


def warnings_of(book: Book) -> list[Case]:
    return listed(book.database, live=False)


def one(book: Book) -> Case:
    (case,) = warnings_of(book)
    return case


def notices(book: Book, channel: str = "phone") -> list[Notice]:
    with book.database.read() as db:
        query = select(outbox.c.body).where(outbox.c.channel == channel).order_by(outbox.c.warning, outbox.c.version)
        return [msgspec.json.decode(body, type=Notice) for body in db.execute(query).scalars()]


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as db:
        return {name: sorted(map(tuple, db.execute(table.select())), key=str) for name, table in META.tables.items()}


def said(book: Book, channel: str = "phone") -> list[str]:
    return [f"{n.story.what} {n.story.level}" for n in notices(book, channel)]


def test_a_change_opens_a_warning_that_bears_the_onset_in_its_id(book: Book, say: Say) -> None:
    assert book.take([say(Y)], AT) == Taken(1, 0, 0, 1)
    case = one(book)
    assert (case.id, case.level, case.state) == (warning_id("W-1", "gas_accumulation", T0), Y, State.OPEN)
    assert (case.onset, case.raised, case.kind) == (T0, AT, Kind.HAZARD)
    (notice,) = notices(book)
    assert notice.id == f"{case.id}.1.phone"
    assert notice.story.grounds[0].evidence.value == [0.4, 2.6]


def test_the_same_change_said_twice_is_one_warning_and_one_notice(book: Book, say: Say) -> None:
    book.take([say(Y)], AT)
    before = everything(book.database)
    assert book.take([say(Y), say(Y)], AT + NS) == Taken(0, 2, 0, 0)
    assert everything(book.database) == before


def test_a_warning_that_comes_and_goes_in_one_request_is_told_as_a_pair(book: Book, say: Say) -> None:
    book.take([say(N, 5), say(O)], AT)
    assert said(book) == ["raised ORANGE", "resolved NORMAL"]
    assert one(book).state is State.QUIET


def test_whoever_was_told_of_the_fire_is_told_of_its_end(book: Book, say: Say) -> None:
    book.take([say(Y)], AT)
    assert said(book, "duty") == []
    book.take([say(O, 1), say(Y, 2), say(N, 3)], AT)
    assert said(book) == ["raised YELLOW", "worse ORANGE", "eased YELLOW", "resolved NORMAL"]
    assert said(book, "duty") == ["worse ORANGE", "eased YELLOW", "resolved NORMAL"]


def test_who_was_never_told_hears_no_all_clear(book: Book, say: Say) -> None:
    book.take([say(Y), say(N, 3)], AT)
    assert said(book, "duty") == []


def test_an_older_change_that_comes_late_is_kept_but_moves_nothing(book: Book, say: Say) -> None:
    book.take([say(N, 10)], AT)
    assert book.take([say(O, 5)], AT) == Taken(0, 0, 1, 0)
    assert warnings_of(book) == []
    with book.database.read() as db:
        assert db.execute(select(changes.c.fate).order_by(changes.c.t)).scalars().all() == ["late", "accepted"]
        assert db.execute(select(standings.c.level)).scalars().all() == ["NORMAL"]


def test_a_second_sensor_raises_the_same_warning(book: Book, say: Say) -> None:
    book.take([say(Y), say(Y, 3, "d2")], AT)
    case = one(book)
    assert (case.level, case.voices, case.onset) == (O, 2, T0)
    assert said(book) == ["raised YELLOW", "worse ORANGE"]
    assert [g.device for g in notices(book)[-1].story.grounds] == ["d1", "d2"]


def test_a_second_sensor_that_clears_lets_the_first_stand(book: Book, say: Say) -> None:
    book.take([say(Y), say(Y, 3, "d2"), say(N, 9, "d2")], AT)
    assert one(book).level is Y
    assert one(book).state is State.OPEN


def test_a_passive_rule_is_recorded_and_raises_nothing(book: Book, say: Say) -> None:
    assert book.take([say(R, mode=Mode.PASSIVE)], AT) == Taken(1, 0, 0, 0)
    assert warnings_of(book) == []


def test_a_silent_sensor_makes_a_ticket_and_leaves_the_hazard_where_it_is(book: Book, say: Say) -> None:
    book.take([say(O), say(Y, 60, rule="any.silence", hazard="silence", kind=Kind.TICKET)], AT)
    assert {(c.hazard, c.kind, c.level) for c in warnings_of(book)} == {
        ("gas_accumulation", Kind.HAZARD, O),
        ("silence", Kind.TICKET, Y),
    }
    assert len(notices(book, "duty")) == 1  # duty wants no tickets


def test_a_ticket_that_becomes_a_hazard_of_the_same_level_is_told_to_those_who_hear_of_hazards(
    database: Database, say: Say
) -> None:
    book = Book(database, [Route("phone"), Route("duty", Y, frozenset({Kind.HAZARD}))])
    book.take([say(Y, rule="gas.stuck", kind=Kind.TICKET)], AT)
    book.acknowledge(one(book).id, "Li Na", "", AT)
    assert said(book, "duty") == []
    book.take([say(Y, 1)], AT)
    case = one(book)
    assert (case.level, case.kind, case.state, case.risen) == (Y, Kind.HAZARD, State.OPEN, 2)  # asks anew
    assert said(book, "duty") == ["worse YELLOW"]
    told = notices(book, "duty")[0].texts
    assert told.en_title.startswith("YELLOW warning (worse, was YELLOW ticket): ")
    assert told.zh_title.startswith("【黄色预警·由黄色工单升级】")
    book.take([say(N, 2)], AT)
    assert (one(book).kind, one(book).level) == (Kind.TICKET, Y)
    book.take([say(N, 3, rule="gas.stuck", kind=Kind.TICKET)], AT)
    assert said(book, "duty") == ["worse YELLOW", "eased YELLOW", "resolved NORMAL"]


def test_red_is_closed_by_a_person_only(book: Book, say: Say) -> None:
    book.take([say(R), say(N, 60)], AT)
    case = one(book)
    assert (case.level, case.state, case.cleared) == (N, State.GONE, T0 + 60 * NS)
    after = book.acknowledge(case.id, "Li Na", "aired, valve closed", AT)
    assert after.state is State.OVER
    assert one(book).comment == "aired, valve closed"
    with pytest.raises(Forbidden, match="needs the role leader"):
        book.close(case.id, "Li Na", Role.ANALYST, "", AT)
    assert book.close(case.id, "Wang Wei", Role.LEADER, "dug up, mended", AT).state is State.QUIET
    assert one(book).closed_by == "Wang Wei"


def test_what_stands_cannot_be_closed(book: Book, say: Say) -> None:
    book.take([say(R)], AT)
    with pytest.raises(Refused):
        book.close(one(book).id, "Wang Wei", Role.LEADER, "", AT)


def test_red_that_returns_before_anybody_answered_is_the_same_warning(book: Book, say: Say) -> None:
    book.take([say(R), say(N, 60), say(Y, 90)], AT)
    case = one(book)
    assert (case.level, case.peak, case.state, case.cleared) == (Y, R, State.URGENT, None)
    assert said(book) == ["raised RED", "resolved NORMAL", "raised YELLOW"]


def test_a_warning_answered_mild_that_went_red_and_ended_may_return_mild(book: Book, say: Say) -> None:
    book.take([say(Y)], AT)
    book.acknowledge(one(book).id, "Li Na", "", AT)
    book.take([say(R, 1), say(N, 2)], AT)
    assert one(book).state is State.GONE
    assert book.take([say(Y, 3)], AT) == Taken(1, 0, 0, 2)
    assert (one(book).state, one(book).answered) == (State.URGENT, N)


def unfit(say: Say, at: float) -> Change:
    """A change that a table refuses."""
    return say(Y, at, "d9", "W-9", owner=None)


def test_a_change_that_cannot_be_judged_costs_only_itself(book: Book, say: Say) -> None:
    taken = book.take([say(Y), unfit(say, 1), say(O, 2)], AT)
    assert taken[:4] == (2, 0, 0, 2 + 1)  # two for the phone, one for the duty
    ((place, reason),) = taken.refused
    assert (place, "owner" in reason) == (1, True)
    assert said(book) == ["raised YELLOW", "worse ORANGE"]
    with book.database.read() as db:
        refused = db.execute(select(audit.c.detail).where(audit.c.act == "refused")).scalars().all()
        assert len(db.execute(select(changes.c.id)).all()) == 2
    assert [msgspec.json.decode(r)["place"] for r in refused] == ["$[1]"]


def test_red_that_was_answered_before_its_end_is_still_to_be_closed(book: Book, say: Say) -> None:
    book.take([say(R)], AT)
    assert book.acknowledge(one(book).id, "Li Na", "", AT).state is State.HELD
    book.take([say(N, 60)], AT)
    assert one(book).state is State.OVER
    book.take([say(Y, 90)], AT)
    assert one(book).state is State.URGENT


def test_worse_than_what_was_answered_asks_again(book: Book, say: Say) -> None:
    book.take([say(Y)], AT)
    book.acknowledge(one(book).id, "Li Na", "", AT)
    book.take([say(B, 1), say(Y, 2)], AT)
    assert one(book).state is State.TAKEN  # back to what was answered
    book.take([say(O, 3)], AT)
    assert one(book).state is State.OPEN


def test_an_answer_to_a_mild_level_is_none_to_the_graver_one_before(book: Book, say: Say) -> None:
    book.take([say(O), say(B, 1)], AT)
    assert book.acknowledge(one(book).id, "Li Na", "", AT).answered is B
    book.take([say(O, 2)], AT)
    assert one(book).state is State.OPEN
    assert book.acknowledge(one(book).id, "Li Na", "", AT).answered is O
    book.take([say(B, 3)], AT)
    assert book.acknowledge(one(book).id, "Li Na", "again", AT).answered is O  # an answer once given stays
    book.take([say(O, 4)], AT)
    assert one(book).state is State.TAKEN


def test_there_is_nothing_to_answer_in_a_closed_warning(book: Book, say: Say) -> None:
    book.take([say(Y), say(N, 1)], AT)
    with pytest.raises(Refused):
        book.acknowledge(one(book).id, "Li Na", "", AT)
    with pytest.raises(UnknownWarning):
        book.acknowledge("no such", "Li Na", "", AT)


def test_a_hazard_that_returns_is_a_new_warning(book: Book, say: Say) -> None:
    book.take([say(Y), say(N, 60), say(Y, 900)], AT)
    assert [(c.onset - T0) // NS for c in warnings_of(book)] == [900, 0]


@pytest.mark.parametrize(("after", "onsets"), [(1800, [0]), (1801, [1861, 0])])
def test_gas_in_the_open_that_comes_back_within_half_an_hour_is_the_same_warning(
    book: Book, say: Say, after: int, onsets: list[int]
) -> None:
    release = {"hazard": "open_air_release"}
    book.take([say(B, **release), say(N, 60, **release), say(Y, 60 + after, "d2", **release)], AT)
    assert [(c.onset - T0) // NS for c in warnings_of(book)] == onsets
    assert said(book)[-1] == "raised YELLOW"
    assert warnings_of(book)[0].cleared is None


@pytest.mark.parametrize(("days", "cases"), [(8, 1), (9, 2)])
def test_a_sensor_that_leaves_the_others_again_within_a_week_has_one_ticket(
    book: Book, say: Say, days: int, cases: int
) -> None:
    apart = {"hazard": "drift"}
    book.take([say(Y, **apart), say(N, 60, **apart), say(Y, 60 + days * 86_400, **apart)], AT)
    assert len(warnings_of(book)) == cases
    assert warnings_of(book)[0].cleared is None


def test_a_case_closed_and_opened_at_the_same_instant_is_one_warning(book: Book, say: Say) -> None:
    book.take([say(Y), say(N, 60)], AT)
    book.take([say(Y, 0, "d2")], AT)
    assert (one(book).level, one(book).state, one(book).version) == (Y, State.OPEN, 3)


def test_a_series_given_to_another_asset_takes_its_level_along(book: Book, say: Say) -> None:
    book.take([say(Y), say(Y, 60, asset="W-2")], AT)
    assert {c.asset: c.level for c in warnings_of(book)} == {"W-1": N, "W-2": Y}


def test_the_history_tells_levels_evidence_and_who_did_what(book: Book, say: Say) -> None:
    book.take([say(Y), say(O, 3)], AT)
    book.acknowledge(one(book).id, "Li Na", "on my way", AT + NS)
    known = msgspec.json.decode(msgspec.json.encode(history(book.database, one(book).id, AT)))
    assert [s["level"] for s in known["steps"]] == ["YELLOW", "ORANGE"]
    assert known["steps"][1]["body"]["evidence"]["unit"] == "%VOL"
    assert [(a["act"], a["by"]) for a in known["audit"]] == [
        ("raised", "gas.methane.limit"),
        ("worse", "gas.methane.limit"),
        ("acknowledged", "Li Na"),
    ]
    assert {n["channel"] for n in known["notices"]} == {"phone", "duty"}


STORY = [("Y", 0, "d1"), ("Y", 2, "d2"), ("R", 4, "d1"), ("N", 6, "d2"), ("N", 8, "d1")]
LEVELS = {"N": N, "Y": Y, "R": R}


def test_a_failure_at_any_statement_leaves_nothing_half_done(tmp_path: Path, say: Say) -> None:
    """Each time one statement later fails; what was handed in is handed in again; the end is that of an undisturbed desk."""
    told = [[say(LEVELS[name], at, device)] for name, at, device in STORY]

    def opened(name: str) -> Book:
        return Book(Database(f"sqlite:///{tmp_path / name}"), [Route("phone")])

    calm, shaken, countdown = opened("calm.db"), opened("shaken.db"), [0]

    @event.listens_for(shaken.database.engine, "before_cursor_execute")
    def fail(*_args: Any) -> None:
        countdown[0] -= 1
        if countdown[0] == 0:
            raise sqlite3.OperationalError("the disk went away")

    failures = 0
    for request in told:
        calm.take(request, AT)
        before, countdown[0] = everything(shaken.database), 0
        for n in range(1, 1000):
            countdown[0] = n
            try:
                shaken.take(request, AT)
                break
            except (sqlite3.OperationalError, OperationalError):
                countdown[0] = 0
                failures += 1
                assert everything(shaken.database) == before
        countdown[0] = 0
    assert failures > 40
    assert everything(shaken.database) == everything(calm.database)
    for book in (calm, shaken):
        book.database.close()


def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path, say: Say) -> None:
    database = Database(f"sqlite:///{tmp_path / 'small.db'}")
    book = Book(database, [Route("phone")])

    @event.listens_for(database.engine, "begin")
    def limit(db: Any) -> None:
        db.exec_driver_sql("PRAGMA max_page_count = 60")

    taken = [0]

    def fill() -> None:
        for i in range(2000):
            book.take([say(Y, i, f"d{i}", f"W-{i}")], AT)
            taken[0] += 1

    with pytest.raises(OperationalError, match="full"):
        fill()
    with database.read() as db:
        assert len(db.execute(select(changes.c.id)).all()) == taken[0]
    assert len(warnings_of(book)) == taken[0] > 0
    database.close()


def test_nothing_is_ever_taken_out_of_the_audit_trail(book: Book, say: Say) -> None:
    book.take([say(Y), say(O, 1), say(N, 2)], AT)
    book.refuse([{"place": "$[0]", "reason": "no such level"}], AT)
    with book.database.read() as db:
        assert db.execute(select(audit.c.act).order_by(audit.c.id)).scalars().all() == [
            "raised",
            "worse",
            "resolved",
            "refused",
        ]


step_of_a_story = st.tuples(st.sampled_from(Level), st.integers(0, 20), st.sampled_from(["d1", "d2"]), st.booleans())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(st.one_of(step_of_a_story, st.just("answer")), max_size=14))
def test_after_any_story_the_warning_stands_where_the_sensors_are(story: list[Any], say: Say) -> None:
    """Whatever is said, in whatever order, twice or late, and whoever answers."""
    database = Database("sqlite://")
    book = Book(database, [Route("phone")])
    newest: dict[str, Change] = {}
    known: set[str] = set()
    for step in story:
        live = listed(database, live=True)
        if step == "answer":
            for case in live:
                if case.state is State.OVER:
                    book.close(case.id, "a leader", Role.LEADER, "", AT)
                else:
                    book.acknowledge(case.id, "somebody", "", AT)
            continue
        change = say(step[0], step[1], step[2])
        book.take([change] * (1 + step[3]), AT)
        fresh = change.id not in known and (change.device not in newest or change.t >= newest[change.device].t)
        known.add(change.id)
        if fresh:
            newest[change.device] = change
    verdict = judge(_stands(c) for c in newest.values())
    active = [c for c in listed(database, live=True) if c.state in ACTIVE]
    assert [c.level for c in active] == ([verdict.level] if verdict.level else [])
    assert all(c.state in LIVE for c in active)
    told = notices(book)
    firing = {n.story.warning for n in told if n.story.level != "NORMAL"}
    last = {n.story.warning: n.story.level for n in told}  # in the order of versions
    assert firing == set(last)
    assert {w for w, level in last.items() if level != "NORMAL"} == {c.id for c in active}
    database.close()


def _stands(c: Change) -> Standing:
    return Standing(c.key, c.rule, c.device, c.quantity, Level[c.new], c.hard, c.kind, c.mode)


def test_every_statement_is_postgresql_too() -> None:
    dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in META.tables.values():
        names = tuple(c.name for c in table.columns)
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        assert "ON CONFLICT" in str(_putting("postgresql", table, names).compile(dialect=dialect))
        assert "DO NOTHING" in str(_inserting("postgresql", table, names).compile(dialect=dialect))
    built = [s for module in (rows, spool) for s in vars(module).values() if isinstance(s, Select | UpdateBase)]
    assert len(built) > 12
    assert all(str(s.compile(dialect=dialect)) for s in built)
