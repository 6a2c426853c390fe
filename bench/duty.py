"""Who is on duty, asked within a transaction, beside what it costs to take a change; and a month of all rosters looked through.

Rosters of the example city with a year of overrides, one a day for each.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from alerts.book import Book
from alerts.duty import Duty, load
from alerts.duty.enter import Entered, override
from alerts.duty.gaps import troubles
from alerts.route import Route
from alerts.tables import Database
from bench.desk import change
from lifeline.clock import parse
from lifeline.model import NS

PEOPLE = Path(__file__).parents[1] / "people.toml"
START = parse("2026-12-01T00:00:00+08:00")
DAY = 86_400 * NS


def run(n: int = 3000, days: int = 365) -> dict[str, float]:
    """n questions, each at another instant of a year."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'desk.db'}")
        duty = load(PEOPLE, ["duty"], ZoneInfo("Asia/Shanghai")).over(database)
        entered = _entered(duty, database, days)
        roles = duty.rosters.roles
        with database.write() as db:
            asked = [(*roles[i % len(roles)], START + i * days * DAY // n) for i in range(n)]
            question = _each(lambda i: duty.on_duty(*asked[i], db), n)
            month = _each(lambda i: troubles(duty.rosters, START + i * DAY, START + (i + 30) * DAY, db), 5)
        book = Book(database, [Route("phone")])
        taken = _each(lambda i: book.take([change(f"well-{i}")], START), 200)
        database.close()
    facts = {"roles": len(roles), "overrides": entered}
    return {"on_duty_s": question, "check_30_days_s": month, "take_a_change_s": taken, "ratio": question / taken, **facts}


def _entered(duty: Duty, database: Database, days: int) -> int:
    who = {at: duty.people.holders(*at)[-1].id for at in duty.rosters.rosters}
    with database.write() as db:
        for d in range(days):
            for (unit, role), person in who.items():
                start, signed = START + d * DAY, {"by": "bench", "reason": "bench"}
                asked = Entered(unit=unit, role=role, person=person, start=start, until=start + DAY // 3, **signed)
                override(db, duty.rosters, asked, START)
    return days * len(who)


def _each(work: Callable[[int], object], n: int) -> float:
    """Mean of one. [s]"""
    work(0)
    at = perf_counter()
    for i in range(n):
        work(i)
    return (perf_counter() - at) / n
