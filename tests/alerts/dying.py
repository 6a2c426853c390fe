"""A desk that dies where it is told to: at any statement, before or after a commit, before or after a notice is sent.

The acts of a story are done one after the other, with the desk's own functions and without its loops, so that the same story
gives the same rows each time. Who said something and got no answer says it again, to a desk that knows only the database.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, event, select

from alerts import spool
from alerts.book import Book, UnknownWarning
from alerts.chain import Chain, audit
from alerts.claim import Wish
from alerts.flapping import Flapping
from alerts.lifecycle import ACTIVE, Refused
from alerts.notice import Sent
from alerts.roles import Role
from alerts.route import Route
from alerts.spool import Ended
from alerts.tables import META, Database, cases, standings, warnings
from lifeline.model import NS, Change, Kind, Level, Mode

CHANNELS = ("phone", "duty")
ROUTES = [Route("phone"), Route("duty", Level.ORANGE, frozenset({Kind.HAZARD}))]
HOLDER = "desk"
TRIES = frozenset({"attempts", "first", "last", "lease", "holder"})  # columns that tell of attempts, which dying repeats
KNOWN = ("cases", "chains", "changes", "holds", "members", "outbox", "stages", "standings", "steps", "warnings")
NEVER = 10**9


class Dead(BaseException):
    """The process is gone."""


class Fuse:
    """Burns down by one at each point where a desk may die."""

    def __init__(self) -> None:
        self.left, self.points = NEVER, 0

    def burn(self, *_: object) -> None:
        self.points += 1
        if self.left == 0:
            self.left = NEVER  # one dies once
            raise Dead
        self.left -= 1


class Brittle(Database):
    """A database on which a desk dies."""

    def __init__(self, url: str) -> None:
        self.fuse = Fuse()
        super().__init__(url)
        event.listen(self.engine, "before_cursor_execute", self.fuse.burn)
        event.listen(self.engine, "commit", self.fuse.burn)
        self.fuse.points = 0

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as db:
            yield db
        self.fuse.burn()  # it is on the disk, and nobody has been told


class Act(NamedTuple):
    """What happens: changes are said; somebody answers, or closes, the n-th warning; time passes."""

    what: Literal["say", "answer", "close", "wait"]
    at: int  # [ns] desk clock
    said: tuple[Change, ...] = ()
    n: int = 0


class World:
    """A story on a database, and what the receivers got."""

    def __init__(self, database: Brittle) -> None:
        self.database, self.got = database, Counter[tuple[str, str]]()
        self.order: list[tuple[str, str, int]] = []  # channel, warning, version, as they came

    def do(self, act: Act) -> None:
        """By a desk that has only just been started."""
        book = Book(self.database, ROUTES, flapping=Flapping())
        match act.what:
            case "say":
                book.take(act.said, act.at)
            case "wait":
                book.settle(act.at)
                Chain(book).turn(act.at)
            case _:
                with suppress(Refused, UnknownWarning):  # said again, it may be done already
                    self._person(book, act)
        self._send(act.at)

    def _person(self, book: Book, act: Act) -> None:
        with self.database.read() as db:
            ids = db.execute(select(warnings.c.id).order_by(warnings.c.raised, warnings.c.id)).scalars().all()
        if not ids:
            return
        if act.what == "answer":
            book.acknowledge(ids[act.n % len(ids)], "Li Na", "", act.at)
        else:
            book.close(ids[act.n % len(ids)], "Wang", Role.LEADER, "", act.at)

    def _send(self, at: int) -> None:
        """As the lanes do it, one after the other."""
        spool.release(self.database, HOLDER)
        for channel in CHANNELS:
            ended: list[Ended] = []
            while True:
                wish = Wish(channel, 8, 12)
                batches, _ = spool.turn(self.database, ended, wish, holder=HOLDER, at=at, lease=12.0, rescue=None)
                if not batches:
                    break
                ended = [self._sent(claim, at) for batch in batches for claim in batch]

    def _sent(self, claim: Any, at: int) -> Ended:
        self.database.fuse.burn()
        notice = claim.notice
        self.got[notice.channel, notice.id] += 1
        self.order.append((notice.channel, notice.story.warning, notice.story.version))
        self.database.fuse.burn()
        return Ended(claim, Sent("heard"), at, at)

    def dying_everywhere(self, act: Act) -> int:
        """Do it, and die at the first point, then again and die at the second, and so on -> how often."""
        for deaths in range(NEVER):
            self.database.fuse.left = deaths
            try:
                self.do(act)
            except Dead:
                continue
            self.database.fuse.left = NEVER
            return deaths
        raise AssertionError


def told(database: Database) -> dict[str, Any]:
    """All that a desk knows, but for how often something was tried or said again."""
    trail = META.tables["audit"].c
    with database.read() as db:
        found = {name: Counter(map(tuple, db.execute(query).all())) for name, query in _TOLD.items()}
        said = db.execute(select(trail.at, trail.act, trail.by, trail.warning)).all()
    return {**found, "audit": set(map(tuple, said))}


_TOLD = {name: select(*(c for c in META.tables[name].columns if c.name not in TRIES)) for name in KNOWN}


def forgotten(database: Database, at: int) -> list[str]:
    """What stands and has no live warning, or asks for an answer and is not chased."""
    stands = (standings.c.level != Level.NORMAL.name, standings.c.mode == Mode.ACTIVE)
    with database.read() as db:
        active = set(db.execute(select(standings.c.asset, standings.c.hazard).where(*stands)).all())
        live = select(cases.c.asset, cases.c.hazard).join(warnings, warnings.c.id == cases.c.warning)
        kept = set(db.execute(live.where(warnings.c.state.in_(sorted(ACTIVE)))).all())
    return [f"{a} {h}" for a, h in active - kept] + [case.id for case in audit(database, at).forgotten]


def run(world: World, story: Sequence[Act], *, dying: bool = False) -> int:
    """The whole story -> how often the desk died."""
    deaths = 0
    for act in story:
        if dying:
            deaths += world.dying_everywhere(act)
        else:
            world.do(act)
        assert forgotten(world.database, act.at + NS) == []
    return deaths


def in_order(order: Sequence[tuple[str, str, int]]) -> bool:
    """Whether each receiver first heard of the versions of each warning in their order."""
    first: dict[tuple[str, str], list[int]] = {}
    for channel, warning, version in order:
        heard = first.setdefault((channel, warning), [])
        if version not in heard:
            heard.append(version)
    return all(heard == sorted(heard) for heard in first.values())
