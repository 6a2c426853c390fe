"""Memory that is no longer used goes back to the system: a watch that has started keeps half of what starting took."""

import atexit
import ctypes
import gc
from typing import Final

import pyarrow as pa

_LIBC: Final = ctypes.CDLL(None)
_TRIM: Final = getattr(_LIBC, "malloc_trim", None)  # glibc has it; others give back by themselves or not at all
_OPTION: Final = getattr(_LIBC, "mallopt", None)
_MMAP_THRESHOLD: Final = -3  # of mallopt(3): larger pieces are asked of the system one by one, and go back at once
LARGE: Final = 1 << 23  # [byte]


def give_back() -> None:
    """Arrow's pool and the free pages of the C library. Some milliseconds."""
    pa.default_memory_pool().release_unused()
    if _TRIM is not None:
        _TRIM(0)


def settle() -> None:
    """After the start: what was made until now stays; it need not be looked at by the garbage collector again."""
    if _OPTION is not None:
        _OPTION(_MMAP_THRESHOLD, LARGE)
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or what DuckDB made is never let go, and its end complains at length
    give_back()
