"""What a report tells, one SQL query a figure; the same statements on SQLite and PostgreSQL.

A warning belongs to the day on which the desk raised it, by the desk's clock: what comes late moves no day that is over. What
became of it (its gravest level, answers, verdicts) is as it is known when the report is made. Exercises are counted apart.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    String,
    and_,
    case,
    cast,
    distinct,
    func,
    or_,
    select,
)

from alerts.bulletins.span import Span
from alerts.chain import LATE
from alerts.dangers.life import STRUCK, Act, State
from alerts.dangers.tables import danger_acts
from alerts.lifecycle import Act as Move
from alerts.lifecycle import State as Life
from alerts.notice import EXERCISE, What
from alerts.stages import Stage
from alerts.tables import audit, chains, changes, outbox, stages, steps, warnings
from alerts.users.tables import users
from lifeline.model import NS, Kind, Level, Mode

MINUTE: Final = 60 * NS  # [ns]
ANSWERS: Final = (1, 3, 5, 15, 60)  # [min] upper ends of the classes of time to an answer; beyond the last: one more
CLOSINGS: Final = (15, 60, 240, 1440, 4320)  # [min] likewise, to the end of a warning
LISTED: Final = 40  # [1] warnings named one by one
TICKET: Final = "TICKET"
SILENCE: Final = "silence"  # hazard of a series that is not heard
W: Final = warnings.c
Row = dict[str, Any]
Query = Callable[[Span, int, str], Select[Any]]  # span, [ns] when it is made, dialect

REAL: Final = ~W.hazard.startswith(EXERCISE)
GRADE: Final = case((W.kind == Kind.TICKET.value, TICKET), else_=W.peak)
RANK: Final = case(*((W.peak == level.name, level.value) for level in Level), else_=-1)
RISES: Final = tuple(sorted((Move.RAISE.value, Move.REDDEN.value)))
ASKS: Final = tuple(sorted((What.RAISED.value, What.WORSE.value, What.OVERDUE.value)))


def within(column: ColumnElement[Any], one: Span) -> ColumnElement[bool]:
    """Whether an instant lies in the span."""
    return and_(column >= one.begin, column < one.end)


def field(column: ColumnElement[str], name: str, dialect: str) -> ColumnElement[Any]:
    """A text inside of a column that holds JSON."""
    if dialect == "sqlite":
        return func.json_extract(column, f"$.{name}")
    return cast(column, JSON).op("->>", return_type=String())(name)


def _counted(*by: ColumnElement[Any]) -> Query:
    """Warnings by something and by level."""

    def query(one: Span, _made: int, _dialect: str) -> Select[Any]:
        groups = (*by, GRADE.label("level"))
        return select(*groups, func.count().label("n")).where(within(W.raised, one), REAL).group_by(*by, GRADE)

    return query


def _times(one: Span, _made: int, _dialect: str) -> Select[Any]:
    """By hour of the day, or by day of the month: which stretch between two borders."""
    stretch = case(*((W.raised < b, i) for i, b in enumerate(one.borders[1:])), else_=-1).label("stretch")
    found = select(stretch, GRADE.label("level")).where(within(W.raised, one), REAL).subquery()
    return select(found.c.stretch, found.c.level, func.count().label("n")).group_by(found.c.stretch, found.c.level)


def _first_answer(since: ColumnElement[int]) -> Any:
    acks = select(func.min(audit.c.at)).where(audit.c.warning == W.id, audit.c.act == "acknowledged", audit.c.at >= since)
    return acks.correlate(warnings, steps).scalar_subquery()


def _asks(one: Span) -> FromClause:
    """Every rise in the span, which asks for an answer: its level, how long until it came [ns], and what became of it."""
    later = steps.alias("later")
    over = select(func.min(later.c.at)).where(later.c.warning == W.id, later.c.level == Level.NORMAL.name)
    over_at = over.where(later.c.version > steps.c.version).correlate(warnings, steps).scalar_subquery()
    level = case((W.kind == Kind.TICKET.value, TICKET), else_=steps.c.level).label("level")
    found = select(level, steps.c.at, W.peak, _first_answer(steps.c.at).label("answer"), over_at.label("over")).select_from(
        steps.join(warnings, W.id == steps.c.warning)
    )
    asked = found.where(steps.c.act.in_(RISES), within(steps.c.at, one), REAL).subquery()
    a = asked.c
    took = and_(a.answer.is_not(None), or_(a.over.is_(None), a.answer <= a.over, a.peak == Level.RED.name))
    fate = case((took, "answered"), (a.over.is_not(None), "over"), else_="waiting").label("fate")
    return select(a.level, fate, case((took, a.answer - a.at)).label("ns")).subquery()


def _asked(one: Span, _made: int, _dialect: str) -> Select[Any]:
    asks = _asks(one)
    return select(asks.c.level, asks.c.fate, func.count().label("n")).group_by(asks.c.level, asks.c.fate)


def _answers(one: Span, _made: int, _dialect: str) -> Select[Any]:
    return quantiles(_asks(one))


def _answer_classes(one: Span, _made: int, _dialect: str) -> Select[Any]:
    return classes(_asks(one), ANSWERS)


def _closed(one: Span) -> FromClause:
    """Warnings that ended in the span: where they have been RED, when somebody closed them."""
    done = select(GRADE.label("level"), (W.updated - W.raised).label("ns"))
    return done.where(W.state == Life.QUIET.value, within(W.updated, one), REAL).subquery()


def _closings(one: Span, _made: int, _dialect: str) -> Select[Any]:
    return quantiles(_closed(one))


def _closing_classes(one: Span, _made: int, _dialect: str) -> Select[Any]:
    return classes(_closed(one), CLOSINGS)


def quantiles(source: FromClause) -> Select[Any]:
    """By level: how many, median, nine tenths, longest of `ns`, each a value that occurred (nearest rank)."""
    s = source.c
    place = func.row_number().over(partition_by=s.level, order_by=s.ns).label("place")
    n = func.count().over(partition_by=s.level).label("n")
    r = select(s.level, s.ns, place, n).where(s.ns.is_not(None)).subquery().c
    return select(
        r.level, func.max(r.n).label("n"), func.min(case((2 * r.place >= r.n, r.ns))).label("median"),
        func.min(case((10 * r.place >= 9 * r.n, r.ns))).label("p90"), func.max(r.ns).label("longest"),
    ).group_by(r.level)  # fmt: skip


def classes(source: FromClause, ends: Sequence[int]) -> Select[Any]:
    """By level: how many of `ns` lie in each class. ends [min]"""
    s = source.c
    which = case(*((s.ns <= end * MINUTE, i) for i, end in enumerate(ends)), else_=len(ends)).label("class")
    found = select(s.level, which).where(s.ns.is_not(None)).subquery().c
    return select(found.level, found["class"], func.count().label("n")).group_by(found.level, found["class"])


def _stages(one: Span, made: int, _dialect: str) -> Select[Any]:
    """Steps that were due in the span: how many were done late, or not at all."""
    s = stages.c
    late = or_(s.done.is_(None), s.done > s.due)
    due = select(
        s.stage, func.count().label("due"), func.sum(case((late, 1), else_=0)).label("late"),
        func.sum(case((s.done.is_(None), 1), else_=0)).label("open"),
    )  # fmt: skip
    joined = due.select_from(stages.join(warnings, W.id == s.warning))
    return joined.where(within(s.due, one), s.due < made, REAL).group_by(s.stage)


def _chase(one: Span, made: int, _dialect: str) -> Select[Any]:
    """Reminders that were due in the span; `missed`: taken more than 10 s late, or not at all."""
    c, late = chains.c, round(LATE * NS)
    missed = or_(c.done > c.due + late, and_(c.done.is_(None), c.due + late < made))
    told = c.fate == "told"
    n, m = func.sum(case((told, 1), else_=0)), func.sum(case((missed, 1), else_=0))
    chased = func.count(distinct(case((told, c.warning)))).label("warnings")
    found = select(c.level, n.label("told"), chased, m.label("missed"))
    joined = found.select_from(chains.join(warnings, W.id == c.warning)).where(within(c.due, one), REAL)
    return joined.group_by(c.level).having(or_(n > 0, m > 0))


def _verdict(dialect: str) -> tuple[FromClause, ColumnElement[str]]:
    """Warnings beside what was said of them: by the account, which knows more, else by the assessment."""
    account, assess = stages.alias("account"), stages.alias("assess")
    both = warnings.outerjoin(account, and_(account.c.warning == W.id, account.c.stage == Stage.ACCOUNT.value))
    both = both.outerjoin(assess, and_(assess.c.warning == W.id, assess.c.stage == Stage.ASSESS.value))
    said = (func.nullif(field(s.c.body, "verdict", dialect), "") for s in (account, assess))
    return both, func.coalesce(*said, "").label("verdict")


def _verdicts(one: Span, _made: int, dialect: str) -> Select[Any]:
    """Hazards by what an analyst says they were; "": nobody has said it."""
    source, verdict = _verdict(dialect)
    found = select(W.domain, verdict).select_from(source).where(within(W.raised, one), REAL, W.kind == Kind.HAZARD.value)
    f = found.subquery().c
    return select(f.domain, f.verdict, func.count().label("n")).group_by(f.domain, f.verdict)


def _called(one: Span, _made: int, _dialect: str) -> Select[Any]:
    """Persons: of how many warnings they were told, and who answered: they, others, nobody; `unreached`: none was sent."""
    o = outbox.c
    sent = func.max(case((o.state == "sent", 1), else_=0)).label("sent")
    asked = select(o.person, o.warning, sent).select_from(outbox.join(warnings, W.id == o.warning))
    told = asked.where(o.person != "", o.what.in_(ASKS), within(o.made, one), REAL).group_by(o.person, o.warning).subquery()
    t = told.c
    acks = select(audit.c.id).where(audit.c.warning == t.warning, audit.c.act == "acknowledged").correlate(told)
    names = select(users.c.name).where(users.c.person == t.person).correlate(told)
    mine, anybody = acks.where(or_(audit.c.by == t.person, audit.c.by.in_(names))).exists(), acks.exists()
    who = select(t.person, t.sent, case((mine, 1), (anybody, 2), else_=3).label("by")).subquery().c

    def n(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    return select(
        who.person, func.count().label("told"), n(who.by == 1).label("answered"), n(who.by == 2).label("others"),
        n(who.by == 3).label("nobody"), n(who.sent == 0).label("unreached"),
    ).group_by(who.person)  # fmt: skip


def _silent(one: Span, made: int, dialect: str) -> Select[Any]:
    """Series that were not heard: since when, and for how long within the span. By the sensor's clock. [ns]"""
    c, upto = changes.c, min(one.end, made)
    key, new = field(c.body, "key", dialect), field(c.body, "new", dialect)
    mine = and_(c.body.contains(f'"{SILENCE}"'), field(c.body, "hazard", dialect) == SILENCE, c.fate == "accepted", c.t < upto)
    said = select(
        key.label("key"), field(c.body, "asset", dialect).label("asset"), new.label("new"), c.t.label("begin"),
        func.lead(c.t, 1, upto).over(partition_by=key, order_by=(c.t, c.at, c.id)).label("end"),
        func.lead(c.id).over(partition_by=key, order_by=(c.t, c.at, c.id)).label("next"),
    ).where(mine)  # fmt: skip
    s = said.subquery().c
    start = case((s.begin < one.begin, one.begin), else_=s.begin)
    still = func.max(case((s.next.is_(None), 1), else_=0)).label("still")
    found = select(
        s.key, func.min(s.asset).label("asset"), func.min(s.begin).label("since"), func.sum(s.end - start).label("ns"), still
    )
    return found.where(s.new != Level.NORMAL.name, s.end > one.begin).group_by(s.key)


def _passive(one: Span, _made: int, dialect: str) -> Select[Any]:
    """What rules that only watch said above NORMAL. By the sensor's clock."""
    c = changes.c
    rule, new = field(c.body, "rule", dialect), field(c.body, "new", dialect)
    asset = field(c.body, "asset", dialect)
    mine = and_(within(c.t, one), c.fate == "accepted", c.body.contains(f'"{Mode.PASSIVE.value}"'))
    said = select(rule.label("rule"), new.label("level"), asset.label("asset"))
    s = said.where(mine, field(c.body, "mode", dialect) == Mode.PASSIVE.value, new != Level.NORMAL.name).subquery().c
    return select(s.rule, s.level, func.count().label("n"), func.count(distinct(s.asset)).label("assets")).group_by(
        s.rule, s.level
    )


def _dangers(one: Span, _made: int, _dialect: str) -> Select[Any]:
    """The ledger: what was written down, struck off and became overdue in the span, and what stood at its end."""
    d = danger_acts.c
    inside = within(d.at, one)
    newest = func.row_number().over(partition_by=d.danger, order_by=d.version.desc()).label("back")
    last = select(d.state, newest).where(d.at < one.end).subquery()

    def acts(*conditions: ColumnElement[bool]) -> Any:
        return select(func.count()).select_from(danger_acts).where(inside, *conditions).scalar_subquery()

    def stand(*conditions: ColumnElement[bool]) -> Any:
        return select(func.count()).select_from(last).where(last.c.back == 1, *conditions).scalar_subquery()

    return select(
        acts(d.act == Act.REGISTER.value).label("opened"),
        acts(d.state == STRUCK.value, d.act != Act.CORRECT.value).label("struck"),
        acts(d.act == Act.LAPSE.value).label("lapsed"), stand(last.c.state != STRUCK.value).label("open"),
        stand(last.c.state.in_([State.OVERDUE.value, State.SUPERVISED.value])).label("overdue"),
    )  # fmt: skip


def _channels(one: Span, _made: int, _dialect: str) -> Select[Any]:
    """Messages by channel and what became of them; exercises too, for they were sent."""
    o = outbox.c
    outcomes = ("sent", "dropped", "superseded", "waiting")
    counts = [func.sum(case((o.state == state, 1), else_=0)).label(state) for state in outcomes]
    delivered = func.sum(case((o.delivered.is_not(None), 1), else_=0)).label("delivered")
    again = func.sum(case((o.attempts > 1, 1), else_=0)).label("again")
    return select(o.channel, *counts, delivered, again).where(within(o.made, one)).group_by(o.channel)


def _exercises(one: Span, _made: int, _dialect: str) -> Select[Any]:
    acked = select(audit.c.id).where(audit.c.warning == W.id, audit.c.act == "acknowledged").correlate(warnings).exists()
    found = (
        select(W.peak.label("level"), case((acked, 1), else_=0).label("acked")).where(within(W.raised, one), ~REAL).subquery().c
    )
    return select(found.level, func.count().label("n"), func.sum(found.acked).label("answered")).group_by(found.level)


def _gravest(one: Span, _made: int, dialect: str) -> Select[Any]:
    """The hazards themselves, the gravest first."""
    source, verdict = _verdict(dialect)
    shown = (W.peak.label("level"), W.hazard, W.asset, W.district, W.raised, W.state)
    found = select(*shown, _first_answer(W.raised).label("answered"), verdict, W.id).select_from(source)
    mine = found.where(within(W.raised, one), REAL, W.kind == Kind.HAZARD.value)
    return mine.order_by(RANK.desc(), W.raised, W.id).limit(LISTED)


FIGURES: Final[dict[str, Query]] = {
    "levels": _counted(),
    "domains": _counted(W.domain),
    "districts": _counted(W.district),
    "hazards": _counted(W.hazard),
    "times": _times,
    "asked": _asked,
    "answers": _answers,
    "answer_classes": _answer_classes,
    "closings": _closings,
    "closing_classes": _closing_classes,
    "stages": _stages,
    "chase": _chase,
    "verdicts": _verdicts,
    "called": _called,
    "silent": _silent,
    "passive": _passive,
    "dangers": _dangers,
    "channels": _channels,
    "exercises": _exercises,
    "gravest": _gravest,
}
Figures = dict[str, list[Row]]


def figures(db: Connection, one: Span, made: int) -> Figures:
    """All of them, in one view of the database; rows in an order that does not depend on it. made [ns]"""
    return {name: _rows(db, name, query(one, made, db.dialect.name)) for name, query in FIGURES.items()}


def _rows(db: Connection, name: str, query: Select[Any]) -> list[Row]:
    found = [{k: _plain(v) for k, v in r.items()} for r in db.execute(query).mappings()]
    return found if name == "gravest" else sorted(found, key=lambda row: [str(v) for v in row.values()])


def _plain(value: Any) -> Any:
    """PostgreSQL sums whole numbers to decimals."""
    return value if value is None or isinstance(value, str) else int(value)
