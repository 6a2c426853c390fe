"""What the network does to readings on their way: it loses, repeats, delays and mixes them up. Never what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lifeline.catalog import Catalog
from simulators.world import Turn

KINDS: Final[Mapping[str, type]] = {}


def carried(turns: Iterator[Turn], faults: Sequence[Any], catalog: Catalog, start: int, seed: int) -> Iterator[Turn]:  # noqa: ARG001
    """The turns as they arrive. start [ns]"""
    return turns
