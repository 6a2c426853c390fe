"""Files that can no longer be read: found, and set aside under another name; what is asked is answered without them."""

import errno
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from store import files
from store.table import SCHEMA

log = logging.getLogger("lifeline.lake")

SUFFIX: Final = ".corrupt"


class Damaged(Exception):
    """Some files cannot be read."""

    def __init__(self, paths: list[Path]) -> None:
        super().__init__(f"{len(paths)} damaged files, the first is {paths[0]}")
        self.paths = paths


@contextmanager
def blamed(paths: list[Path]) -> Iterator[None]:
    """What fails for want of a file raises FileNotFoundError, and what fails on damaged ones names them."""
    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as why:
        if isinstance(why, OSError) and not spoilt(why):
            raise
        if not all(path.exists() for path in paths):
            raise FileNotFoundError(str(why)) from why
        if bad := [path for path in paths if not sound(path)]:
            raise Damaged(bad) from why
        raise


def sound(path: Path) -> bool:
    """Whether a file can be read to its end. One that may not be opened, or is gone, is not thereby damaged."""
    try:
        with pq.ParquetFile(path) as source:
            for i in range(source.metadata.num_row_groups):
                source.read_row_group(i, use_threads=False)
            return set(SCHEMA.names) <= set(source.schema_arrow.names)
    except (pa.ArrowException, ValueError):
        return False
    except OSError as why:
        return not spoilt(why)


def spoilt(why: OSError) -> bool:
    """Whether the bytes are at fault (Arrow gives no number then), or the disk under them; not rights, places or numbers."""
    return why.errno in (None, errno.EIO)


def set_aside(paths: Iterable[Path]) -> set[Path]:
    """Rename; -> the new names. Somebody else may have been quicker."""
    done = set()
    for path in paths:
        with suppress(FileNotFoundError):
            done.add(path.rename(path.with_name(path.name + SUFFIX)))
            files.sync(path.parent)
            log.error(
                "a file of the lake is damaged and was set aside; its readings are missing, and would be stored again if they "
                "came again; mend it and give it its name back, or remove it",
                extra={"path": str(path) + SUFFIX},
            )
    return done


def found(root: Path) -> set[Path]:
    """What has been set aside and not removed since."""
    return set((root / "readings").glob(f"domain=*/hour=*/*{SUFFIX}"))
