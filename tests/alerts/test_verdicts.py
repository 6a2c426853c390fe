"""What follows from a verdict, and what does not."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from alerts import rows, verdicts
from alerts.alike import alike
from alerts.api import app
from alerts.book import Book
from alerts.case import Case
from alerts.desk import Desk, Settings
from alerts.lifecycle import State
from alerts.queries import listed, unheard
from alerts.roles import Role
from alerts.route import Route
from alerts.routing.tables import silences
from alerts.stages import Done, Stage
from alerts.tables import Database, audit
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS, Change, Kind, Level
from tests.tokens import BEARER, TOKEN

N, B, Y, O, R = Level
AT = 1_767_000_100 * NS
Say = Callable[..., Change]


def of(book: Book, hazard: str, asset: str = "W-1") -> Case:
    return next(c for c in listed(book.database, live=False) if (c.asset, c.hazard) == (asset, hazard))


def judge(book: Book, case: Case, verdict: str, at: int = AT + NS, stage: Stage = Stage.ASSESS) -> verdicts.Followed:
    return book.done(case.id, stage, Done("Wang", "looked at it", verdict=verdict), Role.ANALYST, at)


def acts(book: Book, warning: str) -> list[str]:
    with book.database.read() as db:
        return list(db.execute(select(audit.c.act).where(audit.c.warning == warning).order_by(audit.c.id)).scalars())


def test_a_faulty_sensor_is_a_ticket_for_its_owner_and_the_warning_stands(book: Book, say: Say) -> None:
    book.take([say(O)], AT)
    case = of(book, "gas_accumulation")
    assert judge(book, case, "sensor_fault").notices == 1  # `phone` wants tickets, `duty` does not
    ticket = of(book, "sensor_fault")
    assert (ticket.kind, ticket.level, ticket.owner, ticket.domain) == (Kind.TICKET, Y, "gas company", "gas")
    assert "d1" in rows_grounds(book, ticket)
    assert of(book, "gas_accumulation").state is State.OPEN
    assert acts(book, case.id)[-2:] == ["assess", "ticket_opened"]
    assert unheard(book.database, Settings("c").blind) == {"W-1"}


def rows_grounds(book: Book, case: Case) -> str:
    with book.database.read() as db:
        (ground,) = rows.grounds(rows.voices(db, case.asset, case.hazard))
    return ground.evidence.note


def test_said_twice_or_in_the_account_too_it_is_one_ticket(book: Book, say: Say) -> None:
    book.take([say(O)], AT)
    case = of(book, "gas_accumulation")
    judge(book, case, "sensor_fault")
    assert judge(book, case, "sensor_fault", AT + 2 * NS).notices == 0
    mended = of(book, "sensor_fault")
    book.done(mended.id, Stage.DISPOSE, Done("Li Na", "exchanged"), Role.OPERATOR, AT + 3 * NS)
    assert of(book, "sensor_fault").level is N
    assert judge(book, case, "sensor_fault", AT + 4 * NS, Stage.ACCOUNT).notices == 0
    assert of(book, "sensor_fault").level is N


def test_each_device_that_speaks_has_its_ticket_and_the_last_speaker_where_none_does(book: Book, say: Say) -> None:
    book.take([say(O, 0), say(Y, 1, "d2")], AT)
    judge(book, of(book, "gas_accumulation"), "sensor_fault")
    case = of(book, "sensor_fault")
    with book.database.read() as db:
        assert {g.device for g in rows.grounds(rows.voices(db, case.asset, case.hazard))} == {"d1", "d2"}
    assert case.level is Y  # a ticket is never more
    book.take([say(O, 2, "d3", "W-2"), say(N, 3, "d3", "W-2")], AT + 4 * NS)
    judge(book, of(book, "gas_accumulation", "W-2"), "sensor_fault", AT + 5 * NS)
    assert of(book, "sensor_fault", "W-2").level is Y


def test_a_verdict_that_is_taken_back_ends_its_ticket_and_no_other(book: Book, say: Say) -> None:
    book.take([say(O), say(O, 1, "d9", hazard="water_burst", rule="w")], AT)
    gas, water = of(book, "gas_accumulation"), of(book, "water_burst")
    judge(book, gas, "sensor_fault")
    judge(book, water, "sensor_fault", AT + 2 * NS)
    judge(book, gas, "hazard", AT + 3 * NS, Stage.ACCOUNT)
    assert of(book, "sensor_fault").level is Y
    judge(book, water, "unknown", AT + 4 * NS, Stage.ACCOUNT)
    assert of(book, "sensor_fault").level is N
    assert "ticket_ended" in acts(book, gas.id)


def test_a_confirmed_hazard_is_told_to_like_cases_at_once(book: Book, say: Say) -> None:
    book.take([say(O, 0), say(O, 60, "d3", "W-3"), say(O, 61, "d4", "B-1", domain="bridge", hazard="bridge_tilt")], AT)
    first, second = of(book, "gas_accumulation"), of(book, "gas_accumulation", "W-3")
    with book.database.read() as db:
        assert alike(db, second) == []
    judge(book, first, "hazard")
    with book.database.read() as db:
        (found,) = alike(db, second)
        detail = db.execute(select(audit.c.detail).where(audit.c.act == "like_confirmed")).scalar_one()
    assert (found.case.id, found.verdict) == (first.id, "hazard")
    assert json.loads(detail)["of"] == first.id
    assert "like_confirmed" in acts(book, second.id)
    judge(book, first, "hazard", AT + 2 * NS)
    assert acts(book, second.id).count("like_confirmed") == 1


def test_exercises_and_tickets_have_no_consequences(book: Book, say: Say) -> None:
    book.take([say(O, hazard="exercise:gas_accumulation"), say(Y, 1, hazard="stuck", kind=Kind.TICKET, rule="s")], AT)
    for hazard in ("exercise:gas_accumulation", "stuck"):
        for verdict in ("sensor_fault", "operation"):
            assert judge(book, of(book, hazard), verdict) == verdicts.Followed()
    assert not any(c.hazard == "sensor_fault" for c in listed(book.database, live=False))


class Killed(BaseException):
    """The process dies here."""


def test_killed_in_between_neither_the_verdict_nor_its_ticket_is_there(
    book: Book, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.take([say(O)], AT)
    case = of(book, "gas_accumulation")

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("alerts.rows.write_step", die)
        with pytest.raises(Killed):
            judge(book, case, "sensor_fault")
    with book.database.read() as db:
        assert verdicts.verdict(db, case.id) == ""
    assert judge(book, case, "sensor_fault").notices == 1


def test_an_operation_offers_a_silence_that_holds_when_it_is_asked_for(database: Database, catalog: Catalog, say: Say) -> None:
    desk = Desk.of(Settings("c", token=TOKEN), database, catalog, [Route("phone")], {}, FastClock(AT))
    desk.take([say(O)])
    case = of(desk.book, "gas_accumulation")

    def asked() -> int:
        with database.read() as db:
            return db.execute(select(func.count()).select_from(silences)).scalar_one()

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url="http://desk", headers=BEARER) as http:
            step = {"by": "Wang", "note": "welding", "verdict": "operation"}
            answer = await http.post(f"/api/v1/warnings/{case.id}/stages/assess", json=step)
            (offer,) = answer.json()["offers"]
            assert asked() == 0  # nothing is silenced by itself
            made = await http.post("/api/v2/silences", json=offer)
            assert made.status_code == 200, made.text
            assert asked() == 1
            again = await http.post(f"/api/v1/warnings/{case.id}/stages/assess", json=step)
            assert again.json()["offers"] == []

    asyncio.run(work())
    assert "silence_offered" in acts(desk.book, case.id)
    desk.take([say(R, 200)])
    assert of(desk.book, "gas_accumulation").level is R  # and RED is told through it
