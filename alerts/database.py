"""How the desk's database is opened and written. Plain SQL: SQLite on one machine, PostgreSQL in service."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, MetaData, Table, UpdateBase, bindparam, create_engine, event, inspect, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateColumn

META: Final = MetaData()
LOCK: Final = 0x6C69_6665  # of PostgreSQL's advisory locks, while tables are made
LOST: Final = {  # a server that lost its power answers nothing: noticed within 30 s, not after the quarter of an hour of TCP
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000,
}  # fmt: skip
BUSY: Final = 10.0  # [s] how long a writer waits for another process


class Database:
    """An engine with one writer at a time in this process; other processes wait for the database's own lock."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, connect_args=_patience(make_url(url)))
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)
        self._reads = self.engine.execution_options(begin="BEGIN")
        self._lock = Lock()
        self.commits = 0  # [1] so far: who waits for something new need not ask while this stands
        with self.write() as db:
            if self.engine.dialect.name == "postgresql":  # of several desks that start at once, one after the other
                db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            META.create_all(db)
            _grow(db)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it or nothing."""
        with self._lock:
            with self.engine.begin() as db:
                yield db
            self.commits += 1

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view; does not wait for writers."""
        with self._reads.connect() as db:
            yield db

    def close(self) -> None:
        self.engine.dispose()


def _patience(url: URL) -> dict[str, int]:
    """How soon a connection to PostgreSQL is given up; what the URL says counts more."""
    return {k: v for k, v in LOST.items() if k not in url.query} if url.get_driver_name().startswith("psycopg") else {}


def _grow(db: Connection) -> None:
    """Add the columns and indexes that a database of an older desk has not yet; such columns have a default."""
    there = inspect(db)
    quote = db.dialect.identifier_preparer.quote
    for table in META.sorted_tables:
        had = {c["name"] for c in there.get_columns(table.name)}
        for column in table.columns:
            if column.name not in had:
                db.exec_driver_sql(f"ALTER TABLE {quote(table.name)} ADD COLUMN {CreateColumn(column).compile(db)}")
        for index in table.indexes:
            index.create(db, checkfirst=True)


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
    return statement.execution_options(preserve_rowcount=True)  # psycopg's cursor is closed before it could be asked


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
