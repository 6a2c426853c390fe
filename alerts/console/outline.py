"""Where the districts of a city lie, by their assets alone: cells about them, joined. No map of others is asked for."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Voronoi, cKDTree

from alerts.colours import Map
from lifeline.catalog import Catalog
from lifeline.model import Floats

DEGREE: Final = 111_195.0  # [m] of latitude
ROUND: Final = 12  # points about an asset that close its cell
LEAST: Final = 150.0  # [m] that a district reaches beyond its assets
PART: Final = 0.05  # [1] of the city's extent that it reaches
Ring = list[list[float]]  # [lat, lon] [°]


@dataclass(frozen=True)
class Ground:
    """What never changes on the map."""

    assets: list[str]
    lat: Floats  # [a] [°]
    lon: Floats  # [a] [°]
    domain: list[str]  # [a]
    at: list[int]  # [a] district of each
    districts: list[str]
    rings: list[list[Ring]] = field(repr=False)  # of each district

    @classmethod
    def of(cls, catalog: Catalog, chart: Map) -> "Ground":
        """The ground of a catalog; an asset stands where its first series does."""
        names, first = np.unique(catalog.asset.astype(str), return_index=True)
        assert names.tolist() == chart.assets
        lat, lon = np.asarray(catalog.lat[first], float), np.asarray(catalog.lon[first], float)
        where = {name: i for i, name in enumerate(chart.districts)}
        at = [where[d] for d in catalog.district[first].astype(str).tolist()]
        rings = outlines(lat, lon, np.array(at, int), len(chart.districts))
        return cls(chart.assets, lat, lon, catalog.domain[first].astype(str).tolist(), at, chart.districts, rings)

    def told(self) -> dict[str, Any]:
        """As it travels to the browser."""
        return {
            "assets": self.assets, "lat": np.round(self.lat, 6).tolist(), "lon": np.round(self.lon, 6).tolist(),
            "domain": self.domain, "at": self.at, "districts": self.districts, "rings": self.rings,
        }  # fmt: skip


def outlines(lat: Floats, lon: Floats, at: NDArray[np.int_], n: int) -> list[list[Ring]]:
    """Rings about the assets of each of n districts. lat, lon [a] [°]; at [a] district"""
    if not lat.size:
        return [[] for _ in range(n)]
    narrow = float(np.cos(np.radians(lat.mean())))
    xy = np.column_stack([(lon - lon.mean()) * narrow, lat - lat.mean()]) * DEGREE
    extent = float(np.ptp(xy, axis=0).max())
    reach = max(LEAST, PART * extent)
    points, owner = _thinned(xy, at, reach / 3)
    around = _around(points, reach)
    cells = Voronoi(np.vstack([points, around]))
    of = np.concatenate([owner, np.full(len(around), -1)])
    back = np.array([narrow, 1.0]) * DEGREE
    corners = cells.vertices / back + [lon.mean(), lat.mean()]
    return [[np.round(corners[ring][:, ::-1], 6).tolist() for ring in _rings(cells, of, d)] for d in range(n)]


def _thinned(xy: Floats, at: NDArray[np.int_], cell: float) -> tuple[Floats, NDArray[np.int_]]:
    """One point for each district in each cell of a grid. xy [a, 2] [m]; cell [m]"""
    _, first = np.unique(np.column_stack([np.floor(xy / cell), at]), axis=0, return_index=True)
    return xy[first], at[first]


def _around(points: Floats, reach: float) -> Floats:
    """Points that lie `reach` beyond all of these, so that every cell among them is closed. [m]"""
    angle = np.arange(ROUND) * 2 * np.pi / ROUND
    ring = 2 * reach * np.column_stack([np.cos(angle), np.sin(angle)])
    cloud = (points[:, None, :] + ring).reshape(-1, 2)
    far = cKDTree(points).query(cloud)[0] > 2 * reach * 0.99
    _, first = np.unique(np.floor(cloud[far] / (reach / 3)), axis=0, return_index=True)
    return np.asarray(cloud[far][first], float)


def _rings(cells: Voronoi, of: NDArray[np.int_], district: int) -> list[list[int]]:
    """Corners of the rings about a district's cells: the ridges that part them from all others, one after the other."""
    mine = of[cells.ridge_points] == district
    follow: dict[int, list[int]] = {}
    for ridge in np.flatnonzero(mine[:, 0] != mine[:, 1]).tolist():
        a, b = cells.ridge_vertices[ridge]
        if a >= 0 and b >= 0:
            follow.setdefault(a, []).append(b)
            follow.setdefault(b, []).append(a)
    rings = []
    while follow:
        here = next(iter(follow))
        ring = [here]
        while here in follow:
            there = follow[here].pop()
            follow[there].remove(here)
            for corner in (here, there):
                if corner in follow and not follow[corner]:
                    del follow[corner]
            ring.append(there)
            here = there
        if len(ring) > 3:
            rings.append(ring)
    return rings
