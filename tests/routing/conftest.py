"""The desk of the tests of alerts, with a routing file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from alerts.book import Book
from alerts.calling import Calling
from alerts.notice import Notice
from alerts.roles import Role
from alerts.route import Route
from alerts.routing import seen, silences
from alerts.routing.inhibit import Gathered, Inhibition, Stored
from alerts.routing.matchers import parse
from alerts.routing.minder import Minder
from alerts.routing.plan import Plan, read
from alerts.routing.router import Quiet, Router
from alerts.routing.silences import Ask
from alerts.routing.topology import Topology
from alerts.tables import Database, audit, outbox
from lifeline.clock import iso
from lifeline.model import NS, Change, Domain, Evidence, Kind, Level, Mode, change_id
from tests.postgres import Postgres

T0 = 1_767_000_000 * NS  # [ns] 2025-12-29T17:20:00+08:00, a Monday
Say = Callable[..., Change]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for all tests of routing."""
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Empty, once in each of the databases that a desk may have."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    made = Database(server.url() if server else f"sqlite:///{tmp_path / 'desk.db'}")
    yield made
    made.close()


@pytest.fixture
def say() -> Say:
    """One change of level: of a device at an asset, `at` seconds after the beginning."""

    def change(new: Level, at: float = 0.0, device: str = "d1", asset: str = "W-1", **more: Any) -> Change:
        t, key, rule = T0 + round(at * NS), f"{device}/ch4", more.pop("rule", "gas.methane.limit")
        seen = Evidence([t - NS, t], [0.4, 2.6], "%VOL", {"YELLOW": 1.0, "ORANGE": 2.5, "RED": 5.0}, "%VOL")
        facts = {
            "id": change_id(rule, key, t, new), "t": t, "city": "chengjiang", "district": "Fenglu", "domain": Domain.GAS,
            "asset": asset, "device": device, "key": key, "quantity": "methane", "rule": rule, "hazard": "gas_accumulation",
            "kind": Kind.HAZARD, "mode": Mode.ACTIVE, "hard": new >= Level.ORANGE, "old": "NORMAL", "new": new.name,
            "score": 1.3, "lat": 24.67, "lon": 102.91, "owner": "gas company", "evidence": seen,
        }  # fmt: skip
        return Change(**(facts | more))

    return change


@pytest.fixture
def planned(tmp_path: Path) -> Callable[[str], Plan]:
    """A plan out of the text of a routing file."""
    return lambda text: read(tmp_path / "alertmanager.yml", text)


class Scene:
    """A book with a routing file, on a clock that is set by hand; instants are seconds after the beginning."""

    def __init__(self, database: Database, plan: Plan | None, topology: Topology, routes: list[Route]) -> None:
        self.database = database
        self.router = Router(Calling(routes), plan, Inhibition(plan.rules if plan else (), topology))
        self.book = Book(database, routes, hearing=self.router)
        self.minder = Minder(self.book, self.router)

    def take(self, *said: Change, at: float) -> None:
        assert self.book.take(said, T0 + round(at * NS)).refused == ()

    def look(self, at: float) -> bool:
        return self.minder.look(T0 + round(at * NS))

    def silence(self, *matchers: str, start: float = 0.0, end: float, at: float = 0.0, **more: Any) -> str:
        """Ask for one; who and why are filled in."""
        said = [
            {"name": m.name, "value": m.value, "isRegex": m.sign.regex, "isEqual": m.sign.equal}
            for text in matchers
            for m in parse(text)
        ]
        role = more.pop("role", Role.OPERATOR)
        facts = {"createdBy": "Li Na", "comment": "works"} | more
        asked = Ask(said, iso(T0 + round(start * NS)), iso(T0 + round(end * NS)), **facts)
        now = T0 + round(at * NS)
        made = silences.asked(asked, now, asked.createdBy.strip(), role)
        with self.database.write() as db:
            return silences.store(db, made, asked.id, now)

    def expire(self, silence: str, at: float) -> None:
        with self.database.write() as db:
            silences.expire(db, silence, "Li Na", T0 + round(at * NS))

    def told(self, channel: str) -> list[tuple[float, str]]:
        """(when it is due [s], "what LEVEL asset") of all notices for a channel, as they were made."""
        with self.database.read() as db:
            query = select(outbox.c.due, outbox.c.body).where(outbox.c.channel == channel)
            rows = db.execute(query.order_by(outbox.c.made, outbox.c.version, outbox.c.id)).all()
        read = [(due, msgspec.json.decode(body, type=Notice)) for due, body in rows]
        return [((due - T0) / NS, f"{n.story.what} {n.story.level} {n.story.asset}{_again(n)}") for due, n in read]

    def sent(self, at: float) -> None:
        """Everything that is due is delivered."""
        with self.database.write() as db:
            due = (outbox.c.state == "waiting") & (outbox.c.due <= T0 + round(at * NS))
            db.execute(update(outbox).where(due).values(state="sent", attempts=1))

    def acts(self) -> list[str]:
        with self.database.read() as db:
            return list(db.execute(select(audit.c.act).order_by(audit.c.id)).scalars())

    def quiet(self, at: float) -> dict[str, Quiet]:
        """Asset -> why nobody is told, of all that stand."""
        with self.database.read() as db:
            now = T0 + round(at * NS)
            known, stands = silences.open_ones(db, now), seen.active(db)
            found = {one.case.asset: self.router.quiet(Stored(db), one, known, now) for one in stands}
            assert found == {one.case.asset: self.router.quiet(Gathered(stands), one, known, now) for one in stands}
        return found


def _again(n: Notice) -> str:
    return " again" if n.texts.en_title.startswith("[still stands]") else ""


@pytest.fixture
def scene(database: Database, planned: Callable[[str], Plan]) -> Callable[..., Scene]:
    """A scene by the text of its routing file; without one: `phone` hears of everything."""

    def made(text: str = "", topology: Topology | None = None, routes: list[Route] | None = None) -> Scene:
        plan = planned(text) if text else None
        return Scene(database, plan, topology or Topology(), [Route("phone")] if routes is None else routes)

    return made
