"""The city's map: the level of every asset, and how many of each a district has. What is not heard is UNKNOWN, never green."""

from collections.abc import Collection, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.case import Case
from alerts.notice import EXERCISE
from lifeline.catalog import Catalog
from lifeline.model import Kind, Level

UNKNOWN: Final = "UNKNOWN"
NAMES: Final = (UNKNOWN, *(level.name for level in Level))  # position: Level + 1


class Map:
    """The assets of a catalog in their districts; an asset stands in the district of its first series."""

    def __init__(self, catalog: Catalog) -> None:
        assets, first = np.unique(catalog.asset.astype(str), return_index=True)
        self.assets: list[str] = assets.tolist()
        districts, at = np.unique(catalog.district[first].astype(str), return_inverse=True)
        self.districts: list[str] = districts.tolist()
        self._at: NDArray[np.intp] = at  # [a] district of each asset
        self._row = {asset: i for i, asset in enumerate(self.assets)}

    def painted(self, live: Iterable[Case], unheard: Collection[str], *, blind: bool) -> NDArray[np.int8]:
        """Position in NAMES of every asset. unheard: assets with a silent series. blind: nobody watches. [a]"""
        colour = np.full(len(self.assets), 0 if blind else Level.NORMAL + 1, np.int8)
        colour[[self._row[a] for a in unheard if a in self._row]] = 0
        for case in live:
            row = self._row.get(case.asset)
            if row is not None and case.kind is Kind.HAZARD and case.level and not case.hazard.startswith(EXERCISE):
                colour[row] = max(colour[row], case.level + 1)
        return colour

    def told(self, colour: NDArray[np.int8]) -> dict[str, Any]:
        """The map as it travels."""
        counts = np.zeros((len(self.districts), len(NAMES)), np.int64)
        np.add.at(counts, (self._at, colour), 1)
        districts = [
            {"district": name, "total": sum(row), "levels": dict(zip(NAMES, row, strict=True))}
            for name, row in zip(self.districts, counts.tolist(), strict=True)
        ]
        return {"districts": districts, "assets": {a: NAMES[c] for a, c in zip(self.assets, colour.tolist(), strict=True)}}
