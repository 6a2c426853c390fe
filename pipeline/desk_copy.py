"""The desk's database, whichever it is, as one SQLite file; and back. It also moves a desk from SQLite to PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Integer, Table, create_engine, func, inspect, select

from alerts.tables import META, Database
from alerts.users import tables as _users  # noqa: F401  these too are the desk's
from lifeline.words import Failed, Unusable
from pipeline.database import NoDatabase, driven, opened

MANY: Final = 1000  # rows at once


def copied(source: Path, to: Path) -> None:
    """A SQLite database as it is at one instant, whoever writes meanwhile, whole and in one file."""
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as old, closing(sqlite3.connect(to)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE").close()
        if (said := new.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
            raise Failed(f"{source}: {said}: it is damaged; this backup was not made")
    to.chmod(0o600)


def dump(url: str, to: Path) -> bool:
    """Copy it as it is at one instant; False: there is none yet."""
    made = _usable(url)
    if made.get_backend_name() != "sqlite":
        _tables(url, to)
    elif Path(made.database or "").exists():
        copied(Path(made.database or ""), to)
    else:
        return False
    return True


def _usable(url: str) -> URL:
    try:
        made = driven(url)
        opened(made)
    except NoDatabase as why:
        raise Failed(f"{why}; {why.mend}") from why
    return made


def _tables(url: str, to: Path) -> None:
    """Every table of the desk, seen at one instant."""
    engine, draft = create_engine(url, isolation_level="REPEATABLE READ"), to.with_name(f".{to.name}.draft")
    copy = Database(f"sqlite:///{draft}")
    try:
        with engine.connect() as old, copy.write() as new:
            there = set(inspect(old).get_table_names())
            for table in META.sorted_tables:
                if table.name in there:
                    _carry(old, new, table)
    finally:
        engine.dispose()
        copy.close()
    copied(draft, to)
    for end in ("", "-wal", "-shm"):
        draft.with_name(draft.name + end).unlink(missing_ok=True)


def load(source: Path, url: str) -> None:
    """Put a dump into an empty database; one that holds anything is refused."""
    made = _usable(url)
    if made.get_backend_name() == "sqlite":
        path = Path(made.database or "")
        if path.exists():
            raise Unusable(f"{path}: there is a desk here already; move it away")
        copied(source, path)
        return
    new, old = Database(url), create_engine(f"sqlite:///file:{source}?mode=ro&uri=true")
    try:
        with old.connect() as read, new.write() as write:
            if full := [t.name for t in META.sorted_tables if t.name in SAID and _any(write, t)]:
                raise Unusable(f"desk.database: holds {', '.join(full)} already; give it an empty one")
            there = set(inspect(read).get_table_names())
            for table in META.sorted_tables:
                if table.name in there:
                    _carry(read, write, table)
                    _count_on(write, table)
    finally:
        old.dispose()
        new.close()


SAID: Final = frozenset({"changes", "warnings", "outbox", "audit", "users"})  # where there is anything, there is a desk


def _any(db: Connection, table: Table) -> bool:
    return db.execute(select(table).limit(1)).first() is not None


def _carry(old: Connection, new: Connection, table: Table) -> None:
    """All rows of a table; columns that an older desk has not yet keep their defaults."""
    has = {c["name"] for c in inspect(old).get_columns(table.name)}
    columns = [c for c in table.columns if c.name in has]
    for rows in _parts(old, select(*columns)):
        new.execute(table.insert(), rows)


def _parts(db: Connection, query: Any) -> Iterator[list[dict[str, Any]]]:
    result = db.execution_options(yield_per=MANY).execute(query)
    for part in result.mappings().partitions(MANY):
        yield [dict(row) for row in part]


def _count_on(db: Connection, table: Table) -> None:
    """PostgreSQL numbers rows by a counter of its own, which must go on after those that were put in."""
    (key, *more) = table.primary_key.columns
    if more or not isinstance(key.type, Integer) or table.autoincrement_column is not key:
        return
    name = db.exec_driver_sql(f"SELECT pg_get_serial_sequence('{table.name}', '{key.name}')").scalar()
    if name:
        last = db.execute(select(func.coalesce(func.max(key), 0))).scalar_one()
        db.exec_driver_sql(f"SELECT setval('{name}', {last + 1}, false)")
