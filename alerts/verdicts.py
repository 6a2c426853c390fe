"""What follows from a verdict: a ticket for the owner of a faulty sensor, word to like cases, the offer of a silence.

Nothing is silenced by a verdict, and no warning is ended by one. The ticket is a case of its own; it ends when its owner has
said what was done (the step `dispose`), or when the verdict is taken back.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, select

from alerts import rows
from alerts.alike import likeness
from alerts.case import Case, from_row
from alerts.lifecycle import ACTIVE
from alerts.notice import EXERCISE
from alerts.stages import Done, Stage, Verdict
from alerts.tables import changes, stages, standings, steps, warnings
from lifeline.clock import iso
from lifeline.model import NS, Change, Evidence, Kind, Level, Mode, change_id

RULE: Final = "desk.verdict"
HAZARD: Final = "sensor_fault"  # of the ticket
QUANTITY: Final = "verdict"
LIKE: Final = 0.6  # [1] likeness from which on a live case is told that another was confirmed
TOLD: Final = 5  # [1] such cases
OFFERED: Final = 4 * 3600 * NS  # [ns] that an offered silence lasts

_VERDICTS: Final = select(stages.c.stage, stages.c.body).where(
    stages.c.warning == bindparam("of"), stages.c.stage.in_([Stage.ACCOUNT.value, Stage.ASSESS.value])
)
_VOICES: Final = (
    select(changes.c.body)
    .join(standings, standings.c.change == changes.c.id)
    .where(standings.c.asset == bindparam("asset"), standings.c.hazard == bindparam("hazard"))
    .where(standings.c.level != Level.NORMAL.name, standings.c.mode == Mode.ACTIVE.value)
    .order_by(standings.c.device, standings.c.t.desc())
)
_RAISED: Final = (
    select(changes.c.body)
    .join(steps, steps.c.change == changes.c.id)
    .where(steps.c.warning == bindparam("of"), steps.c.level != Level.NORMAL.name)
    .order_by(steps.c.version.desc())
    .limit(1)
)
_STAND: Final = (
    select(changes.c.body)
    .join(standings, standings.c.change == changes.c.id)
    .where(standings.c.rule == RULE, standings.c.level != Level.NORMAL.name)
)
_OF_WARNING: Final = _STAND.where(standings.c.key.startswith(bindparam("begins")))
_AT_ASSET: Final = _STAND.where(standings.c.asset == bindparam("asset"), standings.c.hazard == HAZARD)
_LIVE: Final = (
    select(warnings)
    .where(warnings.c.domain == bindparam("domain"), warnings.c.state.in_(sorted(ACTIVE)), warnings.c.id != bindparam("of"))
    .where(warnings.c.kind == Kind.HAZARD.value, ~warnings.c.hazard.startswith(EXERCISE))
)


class Followed(NamedTuple):
    """What came of a step."""

    notices: int = 0  # put into the outbox
    offers: tuple[dict[str, Any], ...] = ()  # bodies for POST /api/v2/silences; nobody has asked for them yet


Offers = tuple[dict[str, Any], ...]
Take = Callable[[Change], object]


def verdict(db: Connection, warning: str) -> str:
    """Of the account, which knows more, else of the assessment; "": none was given."""
    said = {r.stage: msgspec.json.decode(r.body, type=Done).verdict for r in db.execute(_VERDICTS, {"of": warning}) if r.body}
    return said.get(Stage.ACCOUNT, "") or said.get(Stage.ASSESS, "")


def follow(
    db: Connection, case: Case, stage: Stage, before: str, what: Done, at: int, take: Take
) -> tuple[dict[str, Any], ...]:
    """Do what follows from a step, in its transaction -> silences that are offered. at [ns]

    before: the verdict until now; take: judges a change.
    """
    if case.hazard == HAZARD and stage is Stage.DISPOSE:
        stand = _change(db, _AT_ASSET, {"asset": case.asset})
        _say(db, case, [_ended(c, at) for c in stand], what.by, at, take)
    after = verdict(db, case.id)
    if after == before or case.hazard.startswith(EXERCISE) or case.kind is not Kind.HAZARD:
        return ()
    if before == Verdict.FAULT:
        stand = _change(db, _OF_WARNING, {"begins": f"{case.id}/"})
        _say(db, case, [_ended(c, at) for c in stand], what.by, at, take)
    if after == Verdict.FAULT:
        _say(db, case, list(_tickets(db, case, what, at)), what.by, at, take)
    if after == Verdict.HAZARD:
        _tell_alike(db, case, what.by, at)
    return (_offered(db, case, what, at),) if after == Verdict.OPERATION else ()


def _change(db: Connection, query: Any, values: dict[str, str]) -> list[Change]:
    return [msgspec.json.decode(body, type=Change) for body in db.execute(query, values).scalars()]


def _say(db: Connection, case: Case, said: Iterable[Change], by: str, at: int, take: Take) -> None:
    for change in said:
        act = "ticket_opened" if change.new != Level.NORMAL.name else "ticket_ended"
        rows.record(db, at, act, by=by, warning=case.id, device=change.device, hazard=HAZARD, change=change.id)
        take(change)


def _tickets(db: Connection, case: Case, what: Done, at: int) -> Iterator[Change]:
    """One for each device that the warning rests on now; where none stands any more, for that which raised it."""
    voices = _change(db, _VOICES, {"asset": case.asset, "hazard": case.hazard})
    sensors = [c for c in voices or _change(db, _RAISED, {"of": case.id}) if not c.rule.startswith("desk.")]
    for device, c in {c.device: c for c in sensors}.items():
        key = f"{case.id}/{device}"
        note = f"{device}: {case.hazard} {case.id}" + (f", {what.note}" if what.note else "")
        yield msgspec.structs.replace(
            c, id=change_id(RULE, key, at, Level.YELLOW), t=at, key=key, quantity=QUANTITY, rule=RULE, hazard=HAZARD,
            kind=Kind.TICKET, mode=Mode.ACTIVE, hard=False, old=Level.NORMAL.name, new=Level.YELLOW.name, score=None,
            evidence=Evidence([], [], "", {}, "", note=note[:500]),
        )  # fmt: skip


def _ended(c: Change, at: int) -> Change:
    t = max(at, c.t + 1)
    return msgspec.structs.replace(c, id=change_id(RULE, c.key, t, Level.NORMAL), t=t, old=c.new, new=Level.NORMAL.name)


def _tell_alike(db: Connection, case: Case, by: str, at: int) -> None:
    """Into the trail of live cases like this one: one of their kind was real."""
    live = [from_row(dict(r)) for r in db.execute(_LIVE, {"domain": case.domain, "of": case.id}).mappings()]
    same = [other for other in live if other.hazard == case.hazard]
    near = sorted(zip(likeness(case, same).tolist() if same else [], same, strict=True), key=lambda x: (-x[0], x[1].id))
    for score, other in near[:TOLD]:
        if score >= LIKE:
            rows.record(db, at, "like_confirmed", by=by, warning=other.id, of=case.id, likeness=round(score, 3))


def _offered(db: Connection, case: Case, what: Done, at: int) -> dict[str, Any]:
    """A silence of this asset and hazard for a while: not RED, and only if somebody asks for it."""
    matchers = [
        {"name": name, "value": value, "isRegex": False, "isEqual": True}
        for name, value in (("alertname", case.hazard), ("asset", case.asset))
    ]
    offer = {
        "matchers": matchers, "startsAt": iso(at), "endsAt": iso(at + OFFERED), "createdBy": what.by,
        "comment": what.note or f"{Verdict.OPERATION}: {case.id}",
    }  # fmt: skip
    rows.record(db, at, "silence_offered", by=what.by, warning=case.id, silence=offer)
    return offer
