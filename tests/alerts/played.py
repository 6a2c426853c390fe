"""Three days at a desk, by chance but always the same: rises, falls, answers, verdicts, reminders, dangers, exercises."""

import random
from collections.abc import Callable
from typing import Final

import msgspec
from sqlalchemy import update

from alerts.book import Book
from alerts.chain import Chain
from alerts.dangers import ledger
from alerts.dangers.danger import Deed, Facts
from alerts.dangers.life import Act
from alerts.lifecycle import Refused
from alerts.queries import listed
from alerts.roles import Role
from alerts.stages import Done, Stage, Verdict
from alerts.tables import Database, outbox
from alerts.users.access import Access
from lifeline.model import NS, Change, Domain, Kind, Level, Mode

N, B, Y, O, R = Level
HOUR: Final = 3600 * NS
BEGIN: Final = 1_767_013_200 * NS  # 2025-12-29 21:00 +08:00: two midnights lie within
STEPS: Final = 150
ASSETS: Final = {"W-1": ("Fenglu", Domain.GAS), "W-2": ("Longjie", Domain.WATER), "桥-3": ("Fenglu", Domain.BRIDGE)}
HAZARDS: Final = ("gas_accumulation", "water_burst", "silence")
PATROL: Final = Facts(place="x", description="x", finder="li")


def play(book: Book, say: Callable[..., Change], seed: int = 1) -> int:
    """-> the instant when it is over. [ns]"""
    dice, at, database, chain = random.Random(seed), BEGIN, book.database, Chain(book)
    Access(database, "").add("gas-man", Role.OPERATOR, "", "test", at, person="gas-duty")
    for i in range(STEPS):
        at += round(dice.expovariate(1 / 1500) * NS)
        book.take([_change(dice, say, at - dice.randrange(1, 100) * NS, i)], at)
        at += round(dice.expovariate(1 / 120) * NS)
        chain.turn(at)
        _people(dice, book, at + dice.randrange(1, 600) * NS)
        at += 600 * NS
        _channels(dice, database, at)
        _ledger(dice, database, at)
    return at


def _change(dice: random.Random, say: Callable[..., Change], t: int, i: int) -> Change:
    asset, hazard = dice.choice(list(ASSETS)), dice.choice(HAZARDS)
    district, domain = ASSETS[asset]
    kind = Kind.TICKET if hazard == "silence" else Kind.HAZARD
    level = dice.choice((N, Y)) if kind is Kind.TICKET else dice.choice((N, B, Y, O, R))
    if dice.random() < 0.1 and kind is Kind.HAZARD:
        hazard = f"exercise:{hazard}"
    rule, mode = (f"x.{hazard}", Mode.ACTIVE) if dice.random() < 0.8 else ("x.passive", Mode.PASSIVE)
    said = say(level, 0, device=f"d-{asset}", asset=asset, hazard=hazard, kind=kind, mode=mode, rule=rule, hard=True)
    key = f"d-{asset}/{hazard}"
    place = {"district": district, "domain": domain, "t": t, "id": f"c{i}", "key": key}
    return msgspec.structs.replace(said, **place)


def _people(dice: random.Random, book: Book, at: int) -> None:
    """Somebody answers some of what stands, says what it was, closes it."""
    known = listed(book.database, live=False)
    for case in dice.sample(known, min(3, len(known))):
        try:
            if dice.random() < 0.5:
                book.acknowledge(case.id, dice.choice(("gas-man", "gas-duty", "li")), "", at)
            if dice.random() < 0.3:
                book.close(case.id, "wang", Role.LEADER, "", at)
        except Refused:
            pass
        stage = dice.choice((Stage.ASSESS, Stage.ACCOUNT, Stage.PREVENT, Stage.DISPOSE))
        if dice.random() < 0.4:
            verdict = dice.choice([*Verdict]).value if stage in {Stage.ASSESS, Stage.ACCOUNT} else ""
            book.done(case.id, stage, Done("wang", 'says "verdict":"hazard"', verdict=verdict), Role.LEADER, at)


def _channels(dice: random.Random, database: Database, at: int) -> None:
    """Most of what waits is sent."""
    with database.write() as db:
        waiting = db.execute(outbox.select().where(outbox.c.state == "waiting").order_by(outbox.c.id)).mappings().all()
        for row in waiting:
            state = dice.choices(("sent", "dropped", "superseded", "waiting"), (80, 6, 6, 8))[0]
            arrived = at if state == "sent" and dice.random() < 0.5 else None
            tried = {"state": state, "attempts": dice.randrange(1, 4), "delivered": arrived}
            db.execute(update(outbox).where(outbox.c.id == row["id"]).values(**tried))


def _ledger(dice: random.Random, database: Database, at: int) -> None:
    if dice.random() < 0.15:
        danger = ledger.register(database, Deed(Act.REGISTER, at, "li", facts=PATROL), Role.OPERATOR)
        if dice.random() < 0.5:
            ledger.do(database, danger.id, Deed(Act.DISMISS, at + NS, "wang", facts=Facts(result="none")), Role.ANALYST)
            more = Deed(Act.CORRECT, at + 2 * NS, "wang", "x", Facts(place="y"))
            ledger.do(database, danger.id, more, Role.LEADER)
        else:
            _assign(database, danger.id, at)
    ledger.lapse(database, at)


def _assign(database: Database, danger: str, at: int) -> None:
    assessed = Facts(grade="general", colour="YELLOW", cause="x")
    ledger.do(database, danger, Deed(Act.ASSESS, at + NS, "wang", facts=assessed), Role.ANALYST)
    task = Facts(measures="x", unit="gas", person="y", funds="x", deadline=at + HOUR, plan="x", rechecker="wang")
    ledger.do(database, danger, Deed(Act.ASSIGN, at + 2 * NS, "wang", facts=task), Role.ANALYST)
