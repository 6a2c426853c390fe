"""A consistent copy of everything that cannot be made again, taken while all processes run: `lifeline backup`.

What is copied in which order, and why that is enough:

1. the lake's files, which never change: most of the work is done before anything else is looked at;
2. the ledger and the snapshot it names, which are true at one offset N of the journal;
3. what the lake has gained meanwhile, up to N: files beyond N are left out, their messages are judged again;
4. the desk: it knows every change that was confirmed to it before N, for it is copied after the ledger;
5. the journal: it holds every message from N on, and every message behind what the desk knows, for it is copied last.

What is put back judges the messages from N on once more. The changes that come of it have the ids that they had, so that the
desk knows them and nobody is told twice.
"""

import json
import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from ingest.ledger import Ledger, Mark
from lifeline.clock import iso, now
from lifeline.config import Config
from lifeline.words import Failed, Unusable
from pipeline.checkpoint import NAME, Extra
from pipeline.desk_copy import copied, dump
from store import files

FORMAT: Final = 1  # of a backup; one of a later program is refused
MANIFEST: Final = "backup.json"  # written last: a folder without it is no backup
SMALL: Final = ("desk.token", "subscriptions.json")
DAMAGED: Final = "the journal, the ledger and the lake do not fit together; what does `lifeline doctor` say?"
TRIES: Final = 20
MARGIN: Final = files.GRACE / 2  # [s] long before a merged file's sources go


@dataclass
class Manifest:
    """What a backup says of itself."""

    format: int
    at: str  # when the ledger was copied
    offset: int  # number of the next message to judge
    head: int  # of the journal
    counts: dict[str, int]
    desk: str  # "copied", or "none" where there was no desk yet
    files: int = 0  # of the lake
    bytes: int = 0  # of the lake
    linked: int = 0  # files that took no room
    seconds: float = 0.0


@dataclass
class Lake:
    """The copy of the lake. Files never change under their names, so that a link is as good as a copy on the same disk."""

    source: Path
    target: Path
    earlier: Path | None = None  # an earlier backup's, on the disk of this one
    linked: int = 0
    have: set[Path] = field(default_factory=set)  # relative to the lake

    def gather(self, until: int | None = None) -> bool:
        """Take what is not here yet; with `until`, only what is true at that offset. False: too late, files are gone."""
        whole = True
        for folder in files.folders(self.source):
            listed = files.listed(folder)
            if until is not None:
                whole &= all(files.age(f.path) < MARGIN for f in listed if _crosses(f, until) and f.path.exists())
            for f in listed:
                if until is None or f.era > 0 or f.stop <= until:
                    self._take(f.path)
        return whole

    def _take(self, path: Path) -> None:
        at = path.relative_to(self.source)
        if at in self.have:
            return
        to = self.target / at
        to.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # merged away since it was listed: what it was merged into is there
            self.linked += laid(path, to, self.earlier / at if self.earlier else None)
            self.have.add(at)

    def drop(self, until: int) -> None:
        """Take out what was gathered beyond an offset."""
        for at in sorted(self.have):
            f = files.parsed(self.target / at)
            if f is not None and f.era == 0 and f.stop > until:
                (self.target / at).unlink()
                self.have.discard(at)


def _crosses(f: files.File, until: int) -> bool:
    """Whether it holds readings of both sides of an offset, because files of both were merged since."""
    return f.era == 0 and f.start < until < f.stop


def laid(path: Path, to: Path, earlier: Path | None = None) -> bool:
    """A file under another name: a link where the disk allows it, else a copy that is on the disk; True: a link.

    earlier: of another backup, to be linked if it is the same; journals that begin anew use names again.
    """
    for source in (path, earlier):
        if source is not None and (source is path or _same(path, source)):
            with suppress(OSError):
                os.link(source, to)
                return True
    with path.open("rb") as read, to.open("wb") as write:
        shutil.copyfileobj(read, write, 1 << 20)
        write.flush()
        os.fsync(write.fileno())
        at = os.fstat(read.fileno()).st_mtime_ns
    os.utime(to, ns=(at, at))
    return False


def _same(one: Path, other: Path) -> bool:
    if not other.exists():
        return False
    a, b = one.stat(), other.stat()
    return (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)


def run(config: Config, above: Path, *, keep: int = 0) -> dict[str, Any]:
    """Make a backup in a new folder under `above`; of those there, let go of all but the `keep` newest. 0: of none."""
    data = config.city.data
    if not (data / "ledger.db").exists():
        raise Unusable(f"{data}: holds no ledger; nothing has been received here yet")
    if above.resolve().is_relative_to(data.resolve()):
        raise Unusable(f"{above}: lies within what is copied, and would be lost with it")
    above.mkdir(parents=True, exist_ok=True, mode=0o700)
    for half in above.glob(".*.half"):
        shutil.rmtree(half)
    made = above / iso(now()).replace(":", "-")
    half = above / f".{made.name}.half"
    half.mkdir(mode=0o700)
    said = _made(config, half, next(iter(made_before(above)), None))
    half.rename(made)
    files.sync(above)
    gone = made_before(above)[keep:] if keep else []
    for old in gone:
        shutil.rmtree(old)
    return {"backup": str(made), **said, "let_go": len(gone)}


def made_before(above: Path) -> list[Path]:
    """The whole backups there, newest first."""
    return sorted((p.parent for p in above.glob(f"*/{MANIFEST}") if not p.parent.name.startswith(".")), reverse=True)


def _made(config: Config, half: Path, earlier: Path | None) -> dict[str, Any]:
    began, data = time.monotonic(), config.city.data
    lake = Lake(data / "lake", half / "lake", earlier / "lake" if earlier else None)
    lake.gather()
    at = iso(now())
    mark = _true_at_one_offset(data, half, lake)
    desk = dump(str(config.desk.database), half / "desk.db")
    copied(data / "journal.db", half / "journal.db")
    for name in SMALL:
        with suppress(FileNotFoundError):
            laid_small(data / name, half / name)
    head = _reaches(half / "journal.db", mark.next)
    told = Manifest(FORMAT, at, mark.next, head, mark.counts or {}, "copied" if desk else "none", len(lake.have))
    told.bytes = sum((half / "lake" / p).stat().st_size for p in lake.have)
    told.linked, told.seconds = lake.linked, round(time.monotonic() - began, 3)
    draft = half / f".{MANIFEST}"
    draft.write_text(json.dumps(asdict(told), indent=1) + "\n")
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.rename(half / MANIFEST)
    files.sync(half)
    return asdict(told)


def laid_small(path: Path, to: Path) -> None:
    """A copy that only its owner reads."""
    with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(path.read_bytes())


def _true_at_one_offset(data: Path, half: Path, lake: Lake) -> Mark:
    """Ledger, snapshot and lake of one offset: again, where a checkpoint took away what was wanted meanwhile."""
    for _ in range(TRIES):
        for state in data.glob("state-*.npz"):
            with suppress(FileNotFoundError, FileExistsError):  # gone with the next checkpoint
                laid(state, half / state.name)
        copied(data / "ledger.db", half / "ledger.db")
        ledger = Ledger(half / "ledger.db", readonly=True)
        mark = ledger.mark(NAME)
        ledger.close()
        wanted = msgspec.json.decode(mark.extra, type=Extra).snapshot if mark.extra else ""
        if (not wanted or (half / wanted).exists()) and lake.gather(mark.next):
            break
    else:
        raise Failed(f"{data}: changes quicker than it can be copied to {half}; is that disk very slow?")
    lake.drop(mark.next)
    for state in half.glob("state-*.npz"):
        if state.name != wanted:
            state.unlink()
    return mark


def _reaches(journal: Path, offset: int) -> int:
    """The head of the copied journal, which must hold every message from the offset on."""
    with closing(sqlite3.connect(journal)) as db:
        first, head = db.execute("SELECT coalesce(min(first), 0), coalesce(max(first + n), 0) FROM batch").fetchone()
    if not first <= offset <= head:
        raise Failed(f"{journal}: holds messages {first} to {head}, but {offset} are judged: {DAMAGED}")
    return int(head)
