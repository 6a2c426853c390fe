"""Citizens' reports are told to whoever is on duty, together, and no crash forgets one."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from alerts.book import Book
from alerts.calling import Calling
from alerts.case import Case
from alerts.dangers import ledger
from alerts.dangers.crier import NAMED, WINDOW, Crier
from alerts.dangers.danger import Deed, Facts
from alerts.dangers.life import REGISTER, Act
from alerts.dangers.tables import bundles, reports
from alerts.lifecycle import LIVE
from alerts.notice import Notice
from alerts.queries import listed
from alerts.responsible import load
from alerts.roles import Role
from alerts.route import Route
from alerts.stages import Done, Stage
from alerts.tables import Database, outbox
from lifeline.model import NS, Change, Kind, Level
from tests.alerts.test_chain import Rota

AT = 1_767_000_000 * NS
Say = Callable[..., Change]


@pytest.fixture
def book(database: Database) -> Book:
    routes = [Route("robot"), Route("app", audience="persons")]
    return Book(database, Calling(routes, load(), Rota("centre-analyst", "housing-duty", "city-leader")))


@pytest.fixture
def crier(book: Book) -> Crier:
    return Crier(book, "chengjiang", "centre", 24.6, 102.9)


def report(database: Database, n: int, at: int = AT, **more: Any) -> str:
    facts = Facts(source="public", found=at, finder="张三", place=f"环城路 {n} 号", description="路面塌陷", **more)
    with database.write() as db:
        return ledger.reported(db, f"R-{n}", f"{n:032}", "13900000000", Deed(REGISTER, at, "citizen", facts=facts)).id


def notices(database: Database) -> list[Notice]:
    with database.read() as db:
        bodies = db.execute(select(outbox.c.body).order_by(outbox.c.made, outbox.c.id)).scalars()
        return [msgspec.json.decode(body, type=Notice) for body in bodies]


def told(database: Database) -> list[str]:
    return [" ".join(filter(None, (n.channel, n.person, n.story.what, n.story.level))) for n in notices(database)]


def live(database: Database) -> list[Case]:
    return [c for c in listed(database, live=False) if c.state in LIVE]


def assess(database: Database, danger: str, at: int) -> None:
    facts = Facts(grade="general", colour="BLUE", cause="x")
    ledger.do(database, danger, Deed(Act.ASSESS, at, "wang", facts=facts), Role.ANALYST)


def test_a_report_is_told_at_once_by_the_table_of_responsibilities_and_is_blue(database: Database, crier: Crier) -> None:
    assert not crier.look(AT)
    danger = report(database, 12, lat=24.7, lon=102.8)
    assert crier.look(AT + NS)
    assert sorted(told(database)) == ["app centre-analyst raised BLUE", "robot raised BLUE"]
    (case,) = live(database)
    assert (case.asset, case.hazard, case.kind, case.level, case.lat) == (
        danger,
        "citizen_report",
        Kind.HAZARD,
        Level.BLUE,
        24.7,
    )
    assert not crier.look(AT + 2 * NS)


def test_the_texts_quote_it_in_both_languages_without_who_wrote_it(database: Database, crier: Crier) -> None:
    said = "看 https://evil.example/a\nwww.evil.example " + "长" * 200
    with database.write() as db:
        deed = Deed(REGISTER, AT, "citizen", facts=Facts(source="public", found=AT, finder="张三", place="x", description=said))
        ledger.reported(db, "R-1", "1" * 32, "13900000000", deed)
    crier.look(AT)
    texts = notices(database)[0].texts
    assert "市民举报，待研判" in texts.zh_title
    assert "市民举报：1：x 看 https evil.example/a evil.example 长长" in texts.zh
    assert "Citizens' reports: 1" in texts.en
    for secret in ("张三", "13900000000", "://", "www.", "长" * 100):
        assert secret not in texts.zh + texts.en


def test_what_comes_within_ten_minutes_is_told_together(database: Database, crier: Crier) -> None:
    report(database, 0)
    crier.look(AT)
    for n in range(1, NAMED + 4):
        report(database, n, AT + n * NS)
        assert not crier.look(AT + n * NS)
    assert not crier.look(AT + WINDOW - 1)
    assert crier.look(AT + WINDOW)
    said = [n for n in notices(database) if n.channel == "robot"]
    assert len(said) == 2
    assert f"{NAMED + 3}：环城路 1 号" in said[1].texts.zh
    assert "；+3" in said[1].texts.zh
    assert len(live(database)) == 2


def test_a_bundle_ends_when_all_of_it_is_assessed(database: Database, crier: Crier) -> None:
    first = report(database, 1)
    second = report(database, 2)
    crier.look(AT)
    assess(database, first, AT + NS)
    assert not crier.look(AT + 2 * NS)
    facts = Facts(result="不属实")
    ledger.do(database, second, Deed(Act.DISMISS, AT + 3 * NS, "wang", facts=facts), Role.ANALYST)
    assert crier.look(AT + 4 * NS)
    assert live(database) == []
    assert told(database)[-1].endswith("resolved NORMAL")
    assert not crier.look(AT + 5 * NS)


def test_what_was_assessed_before_it_was_told_is_not_told(database: Database, crier: Crier) -> None:
    report(database, 1)
    crier.look(AT)
    assess(database, report(database, 2), AT + NS)
    assert not crier.look(AT + WINDOW)
    assert len(live(database)) == 1


class Killed(BaseException):
    """The process dies here."""


@pytest.mark.parametrize("where", ["Book.take before", "Book.take after", "insert_new"])
def test_killed_between_any_two_steps_it_is_told_once_all_the_same(
    database: Database, book: Book, crier: Crier, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    report(database, 1)
    take = book.take

    def die(*args: Any) -> None:
        if where.endswith("after"):
            take(*args)
        raise Killed

    def die_inserting(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if where == "insert_new":
            patch.setattr("alerts.dangers.crier.insert_new", die_inserting)
        else:
            patch.setattr(book, "take", die)
        with pytest.raises(Killed):
            crier.look(AT)
    crier.look(AT + NS)
    assert sorted(told(database)) == ["app centre-analyst raised BLUE", "robot raised BLUE"]
    with database.read() as db:
        assert [r.said for r in db.execute(select(bundles))] == [AT + NS]
        assert "" not in db.execute(select(reports.c.bundle)).scalars().all()


def test_two_desks_tell_a_report_once(database: Database, book: Book, crier: Crier) -> None:
    report(database, 1)
    other = Crier(Book(database, book.calling), "chengjiang", "centre", 24.6, 102.9)
    crier._gather(AT)
    other._gather(AT)
    crier.look(AT)
    other.look(AT)
    assert len(told(database)) == 2
    assert len(live(database)) == 1


def test_however_many_reports_stay_blue_and_no_sensor_is_at_fault(database: Database, book: Book, crier: Crier) -> None:
    for n in range(4):
        report(database, n, AT + n * WINDOW)
        crier.look(AT + n * WINDOW)
    assert {c.level for c in live(database)} == {Level.BLUE}
    done = Done("wang", verdict="sensor_fault")
    assert book.done(live(database)[0].id, Stage.ASSESS, done, Role.ANALYST, AT + 5 * WINDOW).notices == 0
