"""What the writing process does to a lake between checkpoints: take back, merge, seal, expire."""

import sys
from functools import partial
from pathlib import Path

from store import damage, files, merge, table
from store.files import HOUR, File


class Foreign(RuntimeError):
    """The lake holds offsets that the journal's database has not reached: the two do not belong together."""


def rollback(root: Path, committed: int, grace: float) -> list[Path]:
    """Remove half-written files, and the one checkpoint that begins at `committed`."""
    folders = files.folders(root)
    found = [f for where in folders for f in files.listed(where, grace) if f.era == 0 and f.stop > committed]
    odd = [f for f in found if f.start != committed]
    if odd:
        raise Foreign(
            f"{len(odd)} files in {root} hold journal offsets up to {max(f.stop for f in odd)}, but {committed} is committed: "
            "is this the right database? If the journal begins anew, say so: lifeline seal"
        )
    half = [path for where in folders for path in files.leftovers(where)]
    return files.remove([*half, *(f.path for f in found)])


def seal(root: Path, grace: float) -> list[Path]:
    """Rename the files of the present journal, so that their offsets mean nothing to the next."""
    listed = [files.listed(where, grace) for where in files.folders(root)]
    era = 1 + max((f.era for each in listed for f in each), default=0)
    done = []
    for each in listed:
        count, merged = files.parted(each)
        files.remove(f.path for f, _ in merged)
        done += [f.path.rename(f.path.with_name(files.name(era, f.start, f.stop))) for f in count if f.era == 0]
    for where in {path.parent for path in done}:
        files.sync(where)
    return done


def compact(where: Path, below: int, *, fan: int, closed: bool, grace: float) -> list[Path]:
    """Delete what was merged away long enough ago, merge what is due; the files made."""
    count, merged = files.parted(files.listed(where, grace))
    files.remove(f.path for f, into in merged if files.age(into.path) > grace)
    runs = merge.due(count, below=below, fan=fan, closed=closed)
    made = []
    for run in runs:
        with damage.blamed([f.path for f in run]):
            made += files.put([_joined(where, run)])
    return made


def _joined(where: Path, run: list[File]) -> tuple[Path, "partial[None]"]:
    path = where / files.name(run[0].era, run[0].start, run[-1].stop)
    return path, partial(table.write, tables=merge.merged([f.path for f in run]))


def settled(where: Path, *, fan: int, grace: float) -> bool:
    """Whether nothing is left to merge or to delete, whatever is committed."""
    count, merged = files.parted(files.listed(where, grace))
    return not merged and not any(merge.due(count, below=sys.maxsize, fan=fan, closed=True))


def ended(where: Path, t: int) -> bool:
    """Whether the folder's hour was over by t [ns]."""
    return (files.hour_of(where) + 1) * HOUR <= t


def expire(root: Path, before: int) -> list[Path]:
    """Delete the hours that were over by then."""
    gone = [where for where in files.folders(root) if ended(where, before)]
    for where in gone:
        files.drop(where)
    return gone
