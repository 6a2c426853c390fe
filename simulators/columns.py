"""Rows of a catalog as a world describes them -> the catalog, in SI."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from lifeline.catalog import Catalog
from lifeline.model import Domain
from lifeline.units import UNITS
from simulators.plan import Site

NONE: Final = float("nan")
TEXT: Final = ("key", "asset", "device", "domain", "district", "quantity", "unit", "owner", "asset_type")
NUMBER: Final = ("step", "lat", "lon", "hold", "report")
MEASURED: Final = ("low", "high", "rated")
OWNER: Final = {
    Domain.GAS: "Gas Company",
    Domain.WATER: "Water Company",
    Domain.BRIDGE: "Bureau of Transport",
    Domain.ELEVATOR: "Bureau of Market Regulation",
}

Row = dict[str, Any]


def series(
    domain: Domain,
    asset: str,
    device: str,
    channel: str,
    quantity: str,
    unit: str,
    span: tuple[float, float],
    step: float,
    site: Site,
    *,
    hold: float = NONE,
    rated: float = NONE,
    report: float = NONE,
    owner: str = "",
    asset_type: str = "",
) -> Row:
    """One row of the catalog. span, rated [unit]; step, hold, report [s]"""
    return {
        "key": f"{device}/{channel}", "asset": asset, "device": device, "domain": domain.value, "district": site.district,
        "quantity": quantity, "unit": unit, "owner": owner or OWNER[domain], "low": span[0], "high": span[1], "step": step,
        "lat": site.lat, "lon": site.lon, "hold": hold, "rated": rated, "report": report,
        "asset_type": asset_type,
    }  # fmt: skip


def columns(rows: Sequence[Row]) -> Catalog:
    """Rows in their devices' units -> catalog in SI."""
    scale, offset = (np.array([getattr(UNITS[r["unit"]], f) for r in rows]) for f in ("scale", "offset"))
    known = {f: np.array([r[f] for r in rows], object) for f in TEXT}
    number = {f: np.array([r[f] for r in rows], float) for f in NUMBER}
    si = {f: np.array([r[f] for r in rows], float) * scale + offset for f in MEASURED}
    return Catalog(**known, **number, **si, scale=scale, offset=offset)


def joined(catalogs: Sequence[Catalog]) -> Catalog:
    """One catalog of several, in their order; ValueError where two have a key in common."""
    names = (*TEXT, *NUMBER, *MEASURED, "scale", "offset")
    made = Catalog(**{f: np.concatenate([getattr(c, f) for c in catalogs]) for f in names})
    if len(made.row) < made.n:
        raise ValueError("two worlds have a series of the same key")
    return made
