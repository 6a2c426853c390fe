"""The lake's folders: which file holds what, which files count, how one comes into being and how it goes.

    readings/domain=gas/hour=2026-11-23T15/<start>-<stop>.parquet

start and stop are journal offsets: the file holds the readings of this domain and hour that came from [start, stop). A file
whose range lies within the range of another in its folder was merged into that one; it no longer counts and is soon deleted.
"""

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np

from lifeline import clock
from lifeline.model import NS

HOUR: Final = 3600 * NS  # [ns]
FIRST: Final = -(2**63) // HOUR + 1  # [h] the hours that nanoseconds reach: 1677
LAST: Final = 2**63 // HOUR - 1  # [h] to 2262
GRACE: Final = 30.0  # [s] a merged file's sources stay this long: longer than anyone needs to list a folder
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


NAME: Final = re.compile(r"(?P<start>\d{20})-(?P<stop>\d{20})(?:\.s(?P<era>\d{4}))?\.parquet")


class LakeFull(OSError):
    """No room for a file. Nothing of it was kept, and the next attempt may succeed."""


class File(NamedTuple):
    """One file of readings. In the order in which a folder is read: the wider of two that start together comes first."""

    era: int  # 0: offsets are those of the present journal; n: sealed, offsets of an earlier one
    start: int  # journal offset
    stop: int  # journal offset, exclusive
    path: Path

    @property
    def size(self) -> int:
        """[B]"""
        return self.path.stat().st_size


def name(era: int, start: int, stop: int) -> str:
    sealed = f".s{era:04d}" if era else ""
    return f"{start:020d}-{stop:020d}{sealed}.parquet"


def parsed(path: Path) -> File | None:
    """None: a file of somebody else."""
    match = NAME.fullmatch(path.name)
    return File(int(match["era"] or 0), int(match["start"]), int(match["stop"]), path) if match else None


def folder(root: Path, domain: str, hour: int) -> Path:
    """Hour [h] since 1970."""
    return root / "readings" / f"domain={domain}" / f"hour={np.datetime64(int(hour), 'h')}"


def hour_of(path: Path) -> int:
    """[h] since 1970, of a folder."""
    return int(np.datetime64(path.name.removeprefix("hour="), "h").astype(np.int64))


def hours(root: Path, domain: str, first: int = FIRST, last: int = LAST) -> list[Path]:
    """The folders of a domain from hour `first` to hour `last` inclusive, oldest first. [h] since 1970"""
    above = root / "readings" / f"domain={domain}"
    low, high = (folder(root, domain, max(FIRST, min(h, LAST))).name for h in (first, last))
    return [above / each for each in _names(above) if low <= each <= high]


def folders(root: Path) -> list[Path]:
    """Every folder of every domain and hour."""
    return [where for domain in domains(root) for where in hours(root, domain)]


def domains(root: Path) -> list[str]:
    """The domains there are readings of."""
    return [each.removeprefix("domain=") for each in _names(root / "readings") if each.startswith("domain=")]


def _names(where: Path) -> list[str]:
    """What is in a folder; nothing where there is no such folder."""
    try:
        return sorted(os.listdir(where))  # noqa: PTH208  names alone: ten years are 88,000 folders
    except FileNotFoundError:
        return []


def listed(where: Path, grace: float = GRACE) -> list[File]:
    """All files of a folder, merged-away ones too; none where the folder is gone.

    A listing may miss what comes and what goes while it runs. A merged file comes at least `grace` before its sources go, so
    that a listing quicker than this sees one or the other; a slower one is made again.
    """
    while True:
        began = time.monotonic()
        seen = [parsed(where / each) for each in _names(where)]
        if time.monotonic() - began < grace:
            return sorted((f for f in seen if f), key=lambda f: (f.era, f.start, -f.stop))


def parted(files: list[File]) -> tuple[list[File], list[tuple[File, File]]]:
    """The files that count; and those merged away, each with the one it went into. files: as listed."""
    count: list[File] = []
    merged: list[tuple[File, File]] = []
    for f in files:
        if count and count[-1].era == f.era and f.stop <= count[-1].stop:
            merged.append((f, count[-1]))
        else:
            count.append(f)
    return count, merged


def put(wanted: Iterable[tuple[Path, Callable[[BinaryIO], None]]]) -> list[Path]:
    """Write every file or none: all under hidden names, on disk; then each by an atomic rename; then the folders on disk."""
    done: list[Path] = []
    with ExitStack() as undo:
        try:
            for path, write in wanted:
                _write_hidden(path, write, undo)
                done.append(path)
            for path in done:
                undo.callback(path.unlink, missing_ok=True)
                hidden(path).rename(path)
            for where in {path.parent for path in done}:
                sync(where)
        except OSError as why:
            if why.errno in FULL:
                raise LakeFull(why.errno, f"no room in the lake, nothing of this was kept ({why.strerror})") from why
            raise
        undo.pop_all()
    return done


def hidden(path: Path) -> Path:
    """The name of a file while it is being written."""
    return path.with_name(f".{path.name}.tmp")


def _write_hidden(path: Path, write: Callable[[BinaryIO], None], undo: ExitStack) -> None:
    _make(path.parent)
    undo.callback(hidden(path).unlink, missing_ok=True)
    with hidden(path).open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def _make(where: Path) -> None:
    """A folder, and those above it, on disk."""
    if where.is_dir():
        return
    _make(where.parent)
    where.mkdir(exist_ok=True)
    sync(where.parent)


def sync(where: Path) -> None:
    """A folder's entries on disk."""
    fd = os.open(where, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def age(path: Path) -> float:
    """Since the file took its name. [s]"""
    return clock.now() / NS - path.stat().st_ctime


def remove(paths: Iterable[Path]) -> list[Path]:
    """Delete files, and the folders this leaves empty."""
    gone = list(paths)
    for path in gone:
        path.unlink(missing_ok=True)
    for where in {path.parent for path in gone}:
        sync(where)
        with suppress(OSError):  # not empty
            where.rmdir()
    return gone


def leftovers(where: Path) -> list[Path]:
    """Half-written files of a process that died."""
    return [where / each for each in _names(where) if each.startswith(".") and each.endswith(".tmp")]


def drop(where: Path) -> None:
    """A whole hour, gone in one step for those who list it."""
    gone = where.with_name(f".{where.name}.gone")
    shutil.rmtree(gone, ignore_errors=True)
    where.rename(gone)
    shutil.rmtree(gone)
