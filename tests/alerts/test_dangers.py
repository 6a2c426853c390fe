"""The ledger of hidden dangers: its table, who may do what with what, and that nothing is ever lost from it."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alerts import seals
from alerts.book import Book
from alerts.dangers import ledger
from alerts.dangers.danger import FIVE, KEPT, MAY, MUSTS, NOTED, Danger, Deed, Facts, Incomplete, late, moved, opened, retold
from alerts.dangers.ledger import UnknownDanger
from alerts.dangers.life import DUE, NEEDS, NEXT, RUNNING, Act, State, diagram, step
from alerts.dangers.pictures import NoPicture
from alerts.lifecycle import Refused
from alerts.queries import listed
from alerts.roles import Forbidden, Role
from alerts.tables import Database, audit
from lifeline.model import NS, Level
from tests.alerts.conftest import Say

AT = 1_767_000_000 * NS
DAY = 86_400 * NS
PATROL = Facts(place="凤麓街道 W-1", description="井盖破损", finder="李娜")
ASSESSED = Facts(grade="general", colour="YELLOW", cause="重车碾压")
MAJOR = Facts(grade="major", colour="RED", cause="腐蚀")
TASK = Facts(
    measures="更换井盖",
    unit="gas",
    person="yang-jun",
    funds="2000 元",
    deadline=AT + 7 * DAY,
    plan="围挡并改道",
    rechecker="wang",
)
SAID: dict[Act, tuple[str, Facts]] = {
    Act.ASSESS: ("", ASSESSED), Act.DISMISS: ("", Facts(result="不属实")), Act.ASSIGN: ("", TASK), Act.START: ("", Facts()),
    Act.LOG: ("已到货", Facts()), Act.CORRECT: ("门牌写错", Facts(place="凤麓街道 W-2")),
    Act.FINISH: ("", Facts(after=("photo-2",))), Act.ACCEPT: ("", Facts(result="合格")), Act.REJECT: ("未固定", Facts()),
    Act.EXTEND: ("缺货", Facts(deadline=AT + 30 * DAY)), Act.SUPERVISE: ("", Facts(supervisor="安委办", reported="市政府")),
    Act.REOPEN: ("又松动", Facts()), Act.LAPSE: ("", Facts()),
}  # fmt: skip


def deed(act: Act, at: int = AT, by: str = "wang", facts: Facts | None = None) -> Deed:
    note, usual = SAID[act]
    return Deed(act, at, by, note, usual if facts is None else facts)


def new(database: Database, at: int = AT) -> Danger:
    return ledger.register(database, Deed(Act.REGISTER, at, "li", facts=PATROL), Role.OPERATOR)


def walk(database: Database, danger: str, *acts: Act, at: int = AT) -> Danger:
    for act in acts:
        found = ledger.do(database, danger, deed(act, at), Role.LEADER)
    return found


# ------------------------------------------------------------------------------------------------ the table


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from([a for a in Act if a is not Act.REGISTER]), max_size=40))
def test_no_order_of_acts_strikes_off_what_nobody_accepted_and_a_passed_deadline_is_never_forgotten(acts: list[Act]) -> None:
    danger = opened("HD-1", Deed(Act.REGISTER, AT, "li", facts=PATROL))
    deeds = [Deed(Act.REGISTER, AT, "li", facts=PATROL)]
    for i, act in enumerate(acts, 1):
        before, one = danger, deed(act, AT + i)
        try:
            danger = moved(before, one)
        except Refused:
            assert (before.state, act) not in NEXT
            continue
        deeds.append(one)
        assert danger.state is NEXT[before.state, act]
        assert danger.version == before.version + 1
        if danger.state is State.STRUCK and before.state is not State.STRUCK:
            assert act in {Act.ACCEPT, Act.DISMISS}
            assert danger.result
            assert danger.kept == AT + i + KEPT
        if before.state is State.OVERDUE and danger.state is not State.OVERDUE:
            assert act in {Act.FINISH, Act.SUPERVISE, Act.EXTEND}
        assert danger.reopened == sum(d.act is Act.REOPEN for d in deeds)
        assert danger.overdue >= before.overdue
    assert retold("HD-1", deeds) == danger


def test_every_state_is_reached_and_everything_but_struck_leads_to_the_end() -> None:
    ahead, known = [State.REGISTERED], set()
    while ahead:
        state = ahead.pop()
        if state not in known:
            known.add(state)
            ahead += [after for (before, _), after in NEXT.items() if before is state]
    assert known == set(State)
    ends = {State.STRUCK}
    while more := {s for (s, _), after in NEXT.items() if after in ends} - ends:
        ends |= more
    assert ends == set(State)
    assert State.RECHECKING not in RUNNING | DUE
    with pytest.raises(Refused, match="a danger that is registered knows no accept"):
        step(State.REGISTERED, Act.ACCEPT)


def test_the_diagram_and_the_acts_in_the_docs_are_those_of_the_tables() -> None:
    page = (Path(__file__).parents[2] / "docs" / "dangers.md").read_text("utf-8")
    assert f"```mermaid\n{diagram()}\n```" in page
    for act, role in NEEDS.items():
        musts = [*MUSTS.get(act, ()), *(["note"] if act in NOTED else [])]
        assert f"| `{act}` | {role.name.lower()} | {', '.join(f'`{m}`' for m in musts) or '–'} |" in page


# ------------------------------------------------------------------------------------------------ who, with what


@pytest.mark.parametrize("act", list(NEEDS))
def test_each_act_needs_its_role(database: Database, act: Act) -> None:
    below, danger = Role(NEEDS[act] - 1), new(database).id
    registers, patrol = act is Act.REGISTER, Deed(act, AT, "li", facts=PATROL)
    with pytest.raises(Forbidden, match="needs the role"):
        ledger.register(database, patrol, below) if registers else ledger.do(database, danger, deed(act), below)


@pytest.mark.parametrize("field", FIVE)
def test_none_of_the_musts_can_be_left_out(database: Database, field: str) -> None:
    danger = new(database).id
    walk(database, danger, Act.ASSESS)
    said = {k: getattr(TASK, k) for k in FIVE if k != field}
    with pytest.raises(Incomplete, match=f"assign must say {field}"):
        ledger.do(database, danger, deed(Act.ASSIGN, facts=Facts(**said)), Role.LEADER)


def test_an_act_says_nothing_that_is_not_its_business_and_no_deadline_that_is_over(database: Database) -> None:
    danger = new(database).id
    with pytest.raises(Incomplete, match="assess cannot say result"):
        ledger.do(
            database, danger, deed(Act.ASSESS, facts=Facts(grade="major", colour="RED", cause="x", result="y")), Role.LEADER
        )
    walk(database, danger, Act.ASSESS)
    with pytest.raises(Incomplete, match="over already"):
        ledger.do(database, danger, deed(Act.ASSIGN, AT + 7 * DAY), Role.LEADER)
    with pytest.raises(Incomplete, match="NUL"):
        ledger.do(database, danger, Deed(Act.LOG, AT, "li", "a\0b"), Role.LEADER)
    with pytest.raises(NoPicture, match="no picture"):
        ledger.do(database, danger, Deed(Act.LOG, AT, "li", "x", Facts(before=("0" * 64,))), Role.LEADER)
    with pytest.raises(UnknownDanger):
        ledger.do(database, "HD-0", deed(Act.ASSESS), Role.LEADER)
    assert "deadline" not in MAY[Act.CORRECT]


def test_whoever_did_the_work_does_not_accept_it(database: Database) -> None:
    danger = new(database).id
    walk(database, danger, Act.ASSESS, Act.ASSIGN, Act.START)
    ledger.do(database, danger, deed(Act.FINISH, by="li"), Role.OPERATOR)
    for by, person in (("li", ""), ("yang", "yang-jun")):
        with pytest.raises(Refused, match="another person"):
            ledger.do(database, danger, deed(Act.ACCEPT, by=by), Role.LEADER, person)
    struck = ledger.do(database, danger, deed(Act.ACCEPT, AT + 9), Role.ANALYST)
    assert (struck.state, struck.struck, struck.accepted_by, struck.result) == (State.STRUCK, AT + 9, "wang", "合格")
    assert struck.kept == AT + 9 + 2 * 365 * DAY


def test_a_major_danger_is_held_supervised_and_reported_before_a_leader_strikes_it_off(database: Database) -> None:
    danger = new(database).id
    ledger.do(database, danger, deed(Act.ASSESS, facts=MAJOR), Role.ANALYST)
    with pytest.raises(Incomplete, match="interim"):
        ledger.do(database, danger, deed(Act.ASSIGN), Role.ANALYST)
    held = Facts(**{k: getattr(TASK, k) for k in FIVE}, interim="停气")
    ledger.do(database, danger, deed(Act.ASSIGN, facts=held), Role.ANALYST)
    walk(database, danger, Act.START)
    ledger.do(database, danger, deed(Act.FINISH, by="li"), Role.OPERATOR)
    with pytest.raises(Forbidden, match="leader"):
        ledger.do(database, danger, deed(Act.ACCEPT), Role.ANALYST)
    with pytest.raises(Refused, match="supervised and reported"):
        ledger.do(database, danger, deed(Act.ACCEPT), Role.LEADER)
    walk(database, danger, Act.REJECT)
    with pytest.raises(Incomplete, match="reported"):
        ledger.do(database, danger, deed(Act.SUPERVISE, facts=Facts(supervisor="安委办")), Role.LEADER)
    walk(database, danger, Act.SUPERVISE)
    ledger.do(database, danger, deed(Act.FINISH, by="li"), Role.OPERATOR)
    assert walk(database, danger, Act.ACCEPT).state is State.STRUCK
    with pytest.raises(Forbidden, match="leader"):
        ledger.do(database, danger, deed(Act.CORRECT), Role.ANALYST)  # what is struck off is corrected by a leader
    with pytest.raises(Forbidden, match="leader"):  # and so is a grade
        ledger.do(database, new(database).id, deed(Act.CORRECT, facts=Facts(grade="general")), Role.ANALYST)


# ------------------------------------------------------------------------------------------------ deadlines


def test_a_passed_deadline_is_counted_once_by_the_desk_and_listed(database: Database) -> None:
    danger = new(database).id
    walk(database, danger, Act.ASSESS, Act.ASSIGN, Act.START)
    due = AT + 7 * DAY
    ledger.lapse(database, due)
    assert ledger.again(database, danger).state is State.RECTIFYING
    for _ in range(2):
        ledger.lapse(database, due + 1)
    known = ledger.one(database, danger, due + 1)
    assert (known["state"], known["overdue"], known["late"]) == ("overdue", 1, True)
    assert [a["by"] for a in known["log"] if a["act"] == "lapse"] == ["desk"]
    told = ledger.overdue(database, due + 1)
    assert (told["count"], told["by_unit"], [d["id"] for d in told["dangers"]]) == (1, {"gas": 1}, [danger])
    walk(database, danger, Act.FINISH, at=due + 2)
    assert ledger.overdue(database, due + 3)["count"] == 0
    walk(database, danger, Act.REJECT, at=due + 3)
    ledger.lapse(database, due + 4)
    assert ledger.one(database, danger, due + 4)["overdue"] == 1  # the same deadline
    walk(database, danger, Act.EXTEND, at=due + 5)
    assert ledger.one(database, danger, due + 6)["late"] is False
    ledger.lapse(database, AT + 30 * DAY + 1)
    assert ledger.one(database, danger, AT + 31 * DAY)["overdue"] == 2


def test_a_supervised_danger_lapses_once_for_each_deadline(database: Database) -> None:
    danger = new(database).id
    walk(database, danger, Act.ASSESS, Act.ASSIGN, Act.SUPERVISE)
    for at in (AT + 8 * DAY, AT + 9 * DAY):
        ledger.lapse(database, at)
    found = ledger.again(database, danger)
    assert (found.state, found.overdue) == (State.SUPERVISED, 1)
    assert not late(found, AT + 9 * DAY)
    assert ledger.overdue(database, AT + 9 * DAY)["count"] == 1


def test_what_nobody_has_assessed_for_a_day_is_listed(database: Database) -> None:
    danger = new(database).id
    assert ledger.overdue(database, AT + DAY)["unassessed"] == 0
    told = ledger.overdue(database, AT + DAY + 1)
    assert (told["unassessed"], told["unassessed_dangers"][0]["id"]) == (1, danger)


# ------------------------------------------------------------------------------------------------ nothing is lost


def test_a_correction_is_a_new_row_and_the_wrong_words_stay(database: Database) -> None:
    danger = new(database).id
    walk(database, danger, Act.CORRECT, at=AT + 1)
    known = ledger.one(database, danger, AT + 2)
    assert known["place"] == "凤麓街道 W-2"
    assert [a["facts"].get("place") for a in known["log"]] == ["凤麓街道 W-1", "凤麓街道 W-2"]


def test_every_act_stands_in_the_trail_and_what_stands_is_told_again_from_the_acts(database: Database) -> None:
    danger = new(database).id
    way = (Act.ASSESS, Act.ASSIGN, Act.START, Act.LOG, Act.FINISH, Act.REJECT, Act.SUPERVISE, Act.FINISH)
    walk(database, danger, *way)
    ledger.do(database, danger, deed(Act.ACCEPT, by="zhao"), Role.LEADER)
    walk(database, danger, Act.REOPEN)
    with database.read() as db:
        acts = list(db.execute(select(audit.c.act).where(audit.c.act.like("danger_%")).order_by(audit.c.id)).scalars())
    assert acts == [f"danger_{a}" for a in (Act.REGISTER, *way, Act.ACCEPT, Act.REOPEN)]
    page = ledger.listed(database, {}, AT, limit=10)
    assert page.dangers == [ledger.again(database, danger)]
    assert (page.dangers[0].reopened, page.dangers[0].struck, page.dangers[0].state) == (1, None, State.REGISTERED)
    assert not seals.verify(database, AT).wrong


def test_a_refused_act_leaves_no_trace(database: Database) -> None:
    danger = new(database).id
    with pytest.raises(Refused):
        walk(database, danger, Act.ACCEPT)
    assert ledger.again(database, danger) == ledger.listed(database, {}, AT, limit=1).dangers[0]
    assert len(ledger.one(database, danger, AT)["log"]) == 1


def test_a_warning_gives_its_place_its_evidence_and_its_colour_once(book: Book, say: Say) -> None:
    book.take([say(Level.ORANGE), say(Level.YELLOW, 60)], AT)
    warning = listed(book.database, live=True)[0].id
    entry = Deed(Act.REGISTER, AT, "li")
    made = ledger.from_warning(book.database, warning, entry, Role.OPERATOR)
    assert (made.source, made.asset, made.district, made.hazard) == ("warning", "W-1", "Fenglu", "gas_accumulation")
    assert (made.colour, made.lat, made.lon, made.warning, made.place) == ("ORANGE", 24.67, 102.91, warning, "Fenglu W-1")
    assert made.evidence == (say(Level.ORANGE).id, say(Level.YELLOW, 60).id)
    assert "可燃气体聚集" in made.description
    with pytest.raises(Refused, match=made.id):
        ledger.from_warning(book.database, warning, entry, Role.OPERATOR)
    with pytest.raises(UnknownDanger):
        ledger.from_warning(book.database, "none", entry, Role.OPERATOR)
    assert ledger.again(book.database, made.id) == made


def test_the_list_is_filtered_and_comes_in_pages(database: Database) -> None:
    made = [new(database, AT + i).id for i in range(5)]
    walk(database, made[0], Act.DISMISS)
    first = ledger.listed(database, {"open": "yes"}, AT, limit=3)
    rest = ledger.listed(database, {"open": "yes"}, AT, limit=3, offset=3)
    assert (first.total, [d.id for d in (*first.dangers, *rest.dangers)]) == (4, made[:0:-1])
    assert [d.id for d in ledger.listed(database, {"state": "struck"}, AT, limit=9).dangers] == made[:1]
    known: Any = ledger.one(database, made[0], AT)
    assert (known["result"], known["contact"]) == ("不属实", "")
