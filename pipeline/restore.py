"""`lifeline restore`: a backup into an empty data directory and an empty database of the desk."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from ingest.ledger import Ledger, balance
from lifeline.config import Config
from lifeline.words import Unusable
from pipeline.backup import FORMAT, MANIFEST, SMALL, laid_small
from pipeline.checkpoint import NAME
from pipeline.desk_copy import load

DATABASES: Final = ("ledger.db", "journal.db")


def manifest(folder: Path) -> dict[str, Any]:
    """What a backup says of itself; Unusable where it is none, or of a later program."""
    path = folder / MANIFEST
    try:
        said: dict[str, Any] = json.loads(path.read_text("utf-8"))
        known = int(said["format"])
    except FileNotFoundError as why:
        raise Unusable(f"{folder}: is no whole backup: {MANIFEST} is missing") from why
    except (ValueError, KeyError, TypeError) as why:
        raise Unusable(f"{path}: cannot be read: {why}") from why
    if known > FORMAT:
        raise Unusable(f"{path}: is of format {known}, this program knows {FORMAT}; restore with the program that made it")
    return said


def run(config: Config, folder: Path, *, desk: bool = True) -> dict[str, Any]:
    """Put a backup back. desk: its database too; False: that stands elsewhere and was not lost."""
    said, data = manifest(folder), config.city.data
    kept = [p.name for p in data.iterdir()] if data.exists() else []
    if kept:
        raise Unusable(f"{data}: is not empty ({', '.join(sorted(kept)[:5])}); move it away: nothing is ever written over")
    checked(folder)
    data.mkdir(parents=True, exist_ok=True)
    if desk and said["desk"] == "copied":
        load(folder / "desk.db", str(config.desk.database))
    if (folder / "lake").exists():
        shutil.copytree(folder / "lake", data / "lake", copy_function=shutil.copyfile)
    for state in folder.glob("state-*.npz"):
        shutil.copyfile(state, data / state.name)
    for name in SMALL:
        if (folder / name).exists():
            laid_small(folder / name, data / name)
    for name in ("journal.db", "ledger.db"):  # the ledger last: without it nothing here counts
        shutil.copyfile(folder / name, data / name)
    os.sync()
    return {"restored": str(data), **{k: said[k] for k in ("at", "offset", "head", "files")}, **_books(data, said)}


def checked(folder: Path) -> None:
    """Unusable where a database in it is damaged."""
    for name in DATABASES:
        with closing(sqlite3.connect(f"file:{folder / name}?mode=ro&immutable=1", uri=True)) as db:
            try:
                found = db.execute("PRAGMA integrity_check").fetchone()[0]
            except sqlite3.DatabaseError as why:
                found = str(why)
        if found != "ok":
            raise Unusable(f"{folder / name}: {found}: this backup is damaged; take an earlier one")


def _books(data: Path, said: dict[str, Any]) -> dict[str, Any]:
    ledger = Ledger(data / "ledger.db", readonly=True)
    mark = ledger.mark(NAME)
    ledger.close()
    books = balance(said["head"], mark.counts or {}, mark.next)
    return {"ledger": books, "balanced": books["acknowledged"] == sum(v for k, v in books.items() if k != "acknowledged")}
