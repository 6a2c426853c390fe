"""The desk's tables and how they are opened. Plain SQL: SQLite on one machine, PostgreSQL in service.

Instants are [ns] UTC; levels and states travel by name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UpdateBase,
    bindparam,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite

META: Final = MetaData()
BUSY: Final = 10.0  # [s] how long a writer waits for another process

changes = Table(
    "changes", META,
    Column("id", Text, primary_key=True),
    Column("t", BigInteger, nullable=False),  # sensor clock
    Column("at", BigInteger, nullable=False),  # desk clock, when it was taken
    Column("fate", Text, nullable=False),  # accepted, late
    Column("body", Text, nullable=False),  # lifeline.model.Change as JSON
)  # fmt: skip

standings = Table(
    "standings", META,
    Column("key", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("asset", Text, nullable=False),
    Column("hazard", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("hard", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("t", BigInteger, nullable=False),
    Column("change", Text, ForeignKey("changes.id"), nullable=False),
    Index("standings_case", "asset", "hazard"),
)  # fmt: skip

warnings = Table(
    "warnings", META,
    Column("id", Text, primary_key=True),  # lifeline.model.warning_id
    Column("asset", Text, nullable=False),
    Column("hazard", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("level", Text, nullable=False),
    Column("peak", Text, nullable=False),  # the gravest it has been
    Column("answered", Text, nullable=False),  # the gravest that somebody has acknowledged
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("voices", Integer, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("version", Integer, nullable=False),  # changes of level so far
    Column("risen", Integer, nullable=False),  # version of the latest rise
    Column("onset", BigInteger, nullable=False),  # sensor clock
    Column("t", BigInteger, nullable=False),  # sensor clock, of the latest change of level
    Column("raised", BigInteger, nullable=False),  # desk clock
    Column("updated", BigInteger, nullable=False),  # desk clock
    Column("pushed", BigInteger),  # desk clock: the latest rise was first delivered
    Column("latency", Float),  # [s] pushed less the sensor's instant of that rise
    Column("cleared", BigInteger),  # sensor clock
    Column("acknowledged_by", Text),
    Column("acknowledged_at", BigInteger),
    Column("comment", Text),
    Index("warnings_state", "state"),
    Index("warnings_onset", "onset"),
)  # fmt: skip

cases = Table(
    "cases", META,
    Column("asset", Text, primary_key=True),
    Column("hazard", Text, primary_key=True),
    Column("warning", Text, ForeignKey("warnings.id")),  # the live one
)  # fmt: skip

steps = Table(
    "steps", META,
    Column("warning", Text, ForeignKey("warnings.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("level", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("change", Text, ForeignKey("changes.id"), nullable=False),
    Column("t", BigInteger, nullable=False),  # sensor clock
    Column("at", BigInteger, nullable=False),  # desk clock
    Column("pushed", BigInteger),
    Column("latency", Float),  # [s]
)  # fmt: skip

outbox = Table(
    "outbox", META,
    Column("id", Text, primary_key=True),  # the notice's
    Column("warning", Text, ForeignKey("warnings.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("body", Text, nullable=False),  # Notice as JSON
    Column("t", BigInteger, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", Text, nullable=False),  # waiting, sent, dropped, superseded
    Column("lease", BigInteger, nullable=False),  # held until
    Column("holder", Text),
    Column("words", Text),  # the provider's last
    Column("first", BigInteger),  # first attempt
    Column("last", BigInteger),  # last attempt
    Index("outbox_due", "state", "channel", "due"),
    Index("outbox_order", "warning", "channel", "version"),
)  # fmt: skip

audit = Table(
    "audit", META,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("act", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("warning", Text),
    Column("detail", Text, nullable=False),  # JSON
    Index("audit_warning", "warning"),
)  # fmt: skip

heartbeats = Table(
    "heartbeats", META,
    Column("source", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),  # desk clock
    Column("body", Text, nullable=False),  # JSON
)  # fmt: skip

failing = Table(
    "failing", META,
    Column("source", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),  # desk clock: every heartbeat from this one on says "not ready"
)  # fmt: skip


class Database:
    """An engine with one writer at a time in this process; other processes wait for the database's own lock."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)
        self._reads = self.engine.execution_options(begin="BEGIN")
        self._lock = Lock()
        META.create_all(self.engine)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it or nothing."""
        with self._lock, self.engine.begin() as db:
            yield db

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; does not wait for writers."""
        with self._reads.connect() as db:
            yield db

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(db: Any, _record: Any) -> None:
        db.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY * 1000:.0f}", "foreign_keys=ON"):
            db.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(db: Connection) -> None:
        db.exec_driver_sql(db.get_execution_options().get("begin", "BEGIN IMMEDIATE"))


def insert_new(db: Connection, table: Table, **values: Any) -> bool:
    """Insert unless the primary key is there already; True if it was new."""
    return db.execute(_inserting(db.dialect.name, table, tuple(values)), values).rowcount == 1


def put(db: Connection, table: Table, **values: Any) -> None:
    """Insert, or replace these columns of the row with the same primary key."""
    db.execute(_putting(db.dialect.name, table, tuple(values)), values)


@cache
def _inserting(dialect: str, table: Table, names: tuple[str, ...]) -> UpdateBase:
    statement: UpdateBase = _insert(dialect, table, names).on_conflict_do_nothing()
    return statement


@cache
def _putting(dialect: str, table: Table, names: tuple[str, ...]) -> UpdateBase:
    insert, keys = _insert(dialect, table, names), [c.name for c in table.primary_key]
    new = {name: insert.excluded[name] for name in names if name not in keys}
    statement: UpdateBase = insert.on_conflict_do_update(index_elements=keys, set_=new)
    return statement


def _insert(dialect: str, table: Table, names: tuple[str, ...]) -> Any:
    """The one place that knows dialects: SQLite and PostgreSQL spell this alike but keep it in different modules."""
    makers: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    return makers[dialect](table).values({name: bindparam(name) for name in names})
