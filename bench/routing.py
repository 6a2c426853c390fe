"""What routes and inhibition cost: the same tickets taken with and without a routing file, and looked at afterwards."""

import tempfile
import time
from itertools import pairwise
from pathlib import Path

from alerts.book import Book
from alerts.calling import Calling
from alerts.route import Route
from alerts.routing.inhibit import Inhibition
from alerts.routing.minder import Minder
from alerts.routing.plan import Plan, read
from alerts.routing.router import Router
from alerts.tables import Database
from lifeline.clock import now
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id

ROUTES = ", ".join(f'{{matchers: [district="D{k}", severity=~"RED|ORANGE"], receiver: a}}' for k in range(50))
FILE = f"""
route: {{receiver: a, group_by: [district], routes: [{ROUTES}]}}
receivers: [{{name: a, webhook_configs: [{{url: "http://127.0.0.1:1/"}}]}}]
inhibit_rules:
  - {{source_matchers: [severity="RED"], target_matchers: [severity=~"YELLOW|BLUE"], equal: [asset]}}
  - {{source_matchers: [alertname="pipeline_silent"], target_matchers: [alertname="silence"]}}
"""


def run(n: int = 2000) -> dict[str, float]:
    """n tickets in one request by the levels of channels alone, and by 51 routes and 2 inhibition rules; processor time."""
    said = [_change(i) for i in range(n)]
    _taken(said[:100], None)
    without, _, _ = _taken(said, None)
    within, first, idle = _taken(said, read(Path("alertmanager.yml"), FILE))
    return {
        "plain_us": 1e6 * without / n, "routed_us": 1e6 * within / n, "ratio": within / without, "sweep_ms": 1e3 * first,
        "idle_look_ms": 1e3 * idle, "n": n,
    }  # fmt: skip


def _taken(said: list[Change], plan: Plan | None) -> tuple[float, float, float]:
    """(to take them, to look at them all, to look when nothing has changed). [s]"""
    with tempfile.TemporaryDirectory() as folder:
        database, calling = Database(f"sqlite:///{Path(folder) / 'desk.db'}"), Calling([Route("a")])
        router = Router(calling, plan, Inhibition(plan.rules if plan else ()))
        book = Book(database, calling, hearing=router)
        minder, at = Minder(book, router), now()
        marks = [time.process_time()]
        for work in (lambda: book.take(said, at), lambda: minder.look(at + NS), lambda: minder.look(at + 2 * NS)):
            work()
            marks.append(time.process_time())
        database.close()
    taken, first, idle = (b - a for a, b in pairwise(marks))
    return taken, first, idle


def _change(i: int) -> Change:
    t, key = now(), f"d{i}/ch4"
    return Change(
        id=change_id("any.silence", key, t, Level.YELLOW), t=t, city="bench", district="d", domain=Domain.GAS, asset=f"W-{i}",
        device=f"d{i}", key=key, quantity="methane", rule="any.silence", hazard="silence", kind=Kind.TICKET, mode=Mode.ACTIVE,
        hard=False, old="NORMAL", new="YELLOW", score=1.0, lat=0.0, lon=0.0, owner="o",
        evidence=Evidence([t], [1.0], "s", {"YELLOW": 1.0}, "s"),
    )  # fmt: skip
