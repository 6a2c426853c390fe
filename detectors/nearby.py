"""Who is beside whom: the others of a quantity at one asset, the nearest first."""

import numpy as np

from lifeline.model import Ints, Members


def nearby(m: Members, most: int, *, apart: bool) -> Ints:
    """Others of its own quantity and asset for each member that is judged, the nearest first. [n, most], -1: nobody

    apart: only those of other devices.
    """
    near = np.full((m.n, most), -1, np.int64)
    rows = np.flatnonzero(m.judged)
    label = np.array([f"{q}\0{a}" for q, a in zip(m.quantity[rows], m.asset[rows], strict=True)])
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(label[order][1:] != label[order][:-1]) + 1
    for group in np.split(rows[order], cuts):
        for i in group.tolist():
            others = group[(group != i) & ~(apart & (m.device[group] == m.device[i]))]
            east = (m.lon[others] - m.lon[i]) * np.cos(np.deg2rad(m.lat[i]))
            far = np.nan_to_num(np.hypot(m.lat[others] - m.lat[i], east))
            some = others[np.argsort(far, kind="stable")][:most]
            near[i, : some.size] = some
    return near
