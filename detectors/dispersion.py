"""Dispersion: which of the known sources in the open releases gas, and how much, by sensors around them and the wind."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from detectors.air import shared
from detectors.plane import degrees, metres, named, placed
from lifeline.model import NS, Floats, Ints, Members, Place

COLUMNS: Final = ("lat", "lon", "height")  # of the file of sources, beside the name; height [m] over the ground
GRID: Final = 15  # points each way, where no file names sources
BEYOND: Final = 0.1  # [1] of the ground between the sensors, that such a grid goes beyond it
CLEAR: Final = 10.0  # [m] at least
MAST: Final = 2.4  # [m] over the ground at which sensors in the open hang
DENSITY: Final = 0.656  # [kg/m³] of methane at 25 °C
CALM: Final = 0.5  # [m/s] least wind that carries a plume anywhere
CLOSE: Final = 0.5  # [m] least spread of a plume: the breath of a burner, not a point
SHARE: Final = 0.1  # [1] of the background's readings that lie below it
BURST: Final = (10, 0.25)  # [slot], [1] the same of the background that a burst stands out from
NEVER: Final = 1 << 40
NAMED: Final = 5  # sources named
SLOTS: Final = 5  # [slot] that count as one: gusts last for minutes
FEWEST: Final = (8, 6, 3)  # [reading] of a slow site: of its background, fitted, and before anything is said


class DispersionState(NamedTuple):
    past: Floats  # [n, ground] [1] readings, oldest first
    seen: Floats  # [recent, 3, sources] sums over the sensors of a slot: foretold · found, foretold², found²; NaN: nothing
    burst: Ints  # [n, 2] [1] slots since the last two readings above `least`, the newer first; NEVER: there was none


@dataclass(frozen=True)
class Dispersion:
    """What the likeliest source releases, in units of `scale`, at sensors that have told of gas of late.

    Each slot's wind carries a kilogram an hour from each source to the sensors as a Gaussian plume with the spreads of Briggs
    for towns and neutral air (G. A. Briggs, ATDL 79, 1973), reflected by the ground:
    σy = 0.16 x / sqrt(1 + 0.0004 x), σz = 0.14 x / sqrt(1 + 0.0003 x). What sensors find above their background (the tenth
    part of the last two hours) over an hour is fitted as one source's rate times what its plume foretells, by least squares;
    the belief in a source is (1 - cos²)^(-m / 2), m slots counted as if five were one, cos the cosine between foretold and
    found. Both are taken less their mean over the sensors, for what drifts in from afar is alike at all. Nothing is said in
    the first `wait` of a release, nor below a cosine of `fits`: gas from elsewhere does not come and go with the wind from
    any source here. Of a site that is read less often than once a slot, those slots are looked at that have a reading of their
    own. What all sensors rise by at once, up to `most`, is no burst (detectors/air.py). Sources are those of the site's file in
    the maps; without one, the points of a grid over the ground between the sensors. How often it is wrong:
    docs/detectors/dispersion.md.
    """

    over: tuple[str, ...] = ("methane_air",)
    beside: tuple[str, ...] = ("wind_speed", "wind_direction")
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = 60.0  # [s]
    ground: int = 120  # [slot] that the background is taken from
    recent: int = 60  # [slot] that are fitted
    wait: int = 30  # [slot] with something to fit, before anything is said; and as long it is said after the last of it
    least: float = 5e-7  # [1] above the background that is gas
    most: float = 2e-6  # [1] that the air of a whole site rises by
    fits: float = 0.3  # [1] cosine between what is foretold and what is found
    origin: float = 0.0  # [kg/s] where the score begins
    scale: float = 1.0  # [kg/s] from `origin` to the bound
    each: int = 1  # [slot] between two readings; found by `settled`
    sensor: Floats = field(default_factory=lambda: np.empty((0, 2)))  # [n, 2] [m] east, north; found by `settled`
    source: Floats = field(default_factory=lambda: np.empty((0, 3)))  # [s, 3] [m] east, north, up; likewise
    names: tuple[str, ...] = ()  # [s] likewise
    where: Floats = field(default_factory=lambda: np.empty((0, 2)))  # [s, 2] [°] lat, lon; likewise
    rows: tuple[Ints, int, int] = field(default_factory=lambda: (np.empty(0, np.int64), -1, -1))  # sensors, wind, direction

    panel: ClassVar[Literal[True]] = True
    dimension: ClassVar[str] = "release"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.wait - 1

    def settled(self, m: Members) -> Self | None:
        """None without a wind, or with fewer than two sensors in a known place."""
        speed, way = (np.flatnonzero(m.quantity == q) for q in self.beside)
        sensors = np.flatnonzero(m.judged & placed(m.lat, m.lon))
        if not speed.size or not way.size or sensors.size < 2:
            return None
        origin = np.array([m.lat[sensors].mean(), m.lon[sensors].mean()])
        at = metres(np.c_[m.lat, m.lon], origin)
        names, where = around(at[sensors], origin) if m.map is None else named(m.map, COLUMNS, "source")
        source = np.c_[metres(where[:, :2], origin), where[:, 2]]
        rows = (sensors, int(speed[0]), int(way[0]))
        each = max(1, round(float(np.median(m.step[sensors])) / self.slot))
        ground, recent, wait = (
            max(a // each, min(a, b)) for a, b in zip((self.ground, self.recent, self.wait), FEWEST, strict=True)
        )
        own = replace(self, each=each, ground=ground, recent=recent, wait=wait)
        return replace(own, sensor=at, source=source, names=names, where=where[:, :2], rows=rows)

    def init(self, n: int) -> DispersionState:
        """State of a site of which nothing is known."""
        empty = np.full((self.recent, 3, len(self.names)), np.nan)
        return DispersionState(np.full((n, self.ground), np.nan), empty, np.full((n, 2), NEVER))

    def step(self, s: DispersionState, x: Floats, t: Ints) -> tuple[DispersionState, Floats]:
        """x [n, k] slots [1] of methane, [m/s], [rad]; t [k] -> new state, score [n, k] [1]."""
        s = DispersionState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        sensors, speed, way = self.rows
        for j in np.flatnonzero(t // round(self.slot * NS) % self.each == 0).tolist():
            s.past[:, :-1], s.past[:, -1] = s.past[:, 1:].copy(), x[:, j]
            found = above(s.past, SHARE)
            s.seen[:-1] = s.seen[1:].copy()
            s.seen[-1] = self._sums(found[sensors], float(x[speed, j]), float(x[way, j]))
            self._burst(s)
            rate = self._rate(s)
            told = (s.burst[:, 1] < self.wait) & np.isfinite(rate)
            said = np.where(told, max((rate - self.origin) / self.scale, 0.0) if np.isfinite(rate) else 0.0, 0.0)
            score[:, j] = np.where(np.isfinite(x[:, j]) & (np.isfinite(s.seen[:, 2, 0]).sum() >= self.wait), said, np.nan)
        return s, score

    def locate(self, s: DispersionState, i: int) -> list[Place]:  # noqa: ARG002  one cause for all sensors
        """The sources, likeliest first."""
        cosine, _, slots = self._fit(s)
        odds = -0.5 * slots / max(SLOTS / self.each, 1.0) * np.log1p(-(np.minimum(cosine, 1 - 1e-9) ** 2))
        share = np.exp(odds - odds.max())
        share /= share.sum()
        best = np.argsort(-share, kind="stable")[:NAMED].tolist()
        return [Place(self.names[b], float(share[b]), *self.where[b].tolist()) for b in best]

    def _burst(self, s: DispersionState) -> None:
        """One slot more since the last bursts, or a burst in this."""
        s.burst[:] = np.minimum(s.burst + 1, NEVER)
        width = max(BURST[0] // self.each, FEWEST[2])
        excess = np.full(len(s.past), np.nan)
        excess[self.rows[0]] = above(s.past[self.rows[0], -width:], BURST[1])
        new = excess - shared(excess[:, None], self.most) > self.least
        s.burst[new] = np.c_[np.zeros(int(new.sum()), np.int64), s.burst[new, 0]]

    def _sums(self, found: Floats, speed: float, way: float) -> Floats:
        """Of one slot. found [m] [1]; [3, sources]"""
        foretold = plumes(self.source, self.sensor[self.rows[0]], speed, way)
        there = np.isfinite(found)
        if not (there.any() and np.isfinite(speed + way)):
            return np.full((3, len(self.names)), np.nan)
        p, y = foretold[:, there], found[there]
        p, y = p - p.mean(axis=1, keepdims=True), y - y.mean()
        return np.array([p @ y, (p * p).sum(axis=1), np.full(len(p), y @ y)])

    def _fit(self, s: DispersionState) -> tuple[Floats, Floats, int]:
        """Of each source: cosine [sources] and rate [sources] [kg/s]; slots with something to fit."""
        both, told, found = np.nansum(s.seen, axis=0)
        there = int(np.isfinite(s.seen[:, 2, 0]).sum())
        tiny = np.finfo(float).tiny
        return both / np.sqrt(np.maximum(told * found, tiny)), both / np.maximum(told, tiny), there

    def _rate(self, s: DispersionState) -> float:
        """What the likeliest source releases [kg/s]; NaN where nothing was told for long enough, or none fits."""
        begun = np.flatnonzero(s.seen[:, 2, 0] > self.least**2)
        if not begun.size or len(s.seen) - begun[0] < self.wait:
            return float("nan")
        cosine, rate, _ = self._fit(s)
        best = int(np.argmax(cosine))
        return float(rate[best]) if cosine[best] >= self.fits else float("nan")


def above(past: Floats, share: float) -> Floats:
    """How far the last of readings [n, k] stands above the `share` quantile of all; NaN where it is missing. [n]"""
    there = np.isfinite(past).sum(axis=1)
    at = np.maximum(np.ceil(share * there).astype(np.int64) - 1, 0)
    low = np.take_along_axis(np.sort(past, axis=1), at[:, None], axis=1)[:, 0]  # missing ones last
    return np.asarray(np.maximum(past[:, -1] - low, 0.0))


def plumes(source: Floats, sensor: Floats, speed: float, way: float) -> Floats:
    """Methane at sensors [m, 2] [m] of 1 kg/s at each source [s, 3] [m]. [s, m] [1]

    speed [m/s], way [rad] of the wind: from where it blows, clockwise from north
    """
    along = -np.array([np.sin(way), np.cos(way)])
    d = sensor[None] - source[:, None, :2]
    down, cross = d @ along, d[..., 0] * along[1] - d[..., 1] * along[0]
    x = np.maximum(down, 1e-3)
    sy = np.maximum(0.16 * x / np.sqrt(1 + 4e-4 * x), CLOSE)
    sz = np.maximum(0.14 * x / np.sqrt(1 + 3e-4 * x), CLOSE)
    height = source[:, None, 2]
    up = np.exp(-0.5 * ((MAST - height) / sz) ** 2) + np.exp(-0.5 * ((MAST + height) / sz) ** 2)
    free = up * np.exp(-0.5 * (cross / sy) ** 2) / (2 * np.pi * max(speed, CALM) * sy * sz * DENSITY)
    return np.where(down > 0, free, 0.0)


def around(sensor: Floats, origin: Floats) -> tuple[tuple[str, ...], Floats]:
    """Points of a grid over the ground between the sensors [n, 2] [m], and somewhat beyond: lat, lon, height."""
    low, high = sensor.min(axis=0), sensor.max(axis=0)
    room = np.maximum(BEYOND * (high - low), CLEAR)
    east, north = (np.linspace(a, b, GRID) for a, b in zip(low - room, high + room, strict=True))
    at = degrees(np.stack(np.meshgrid(east, north), axis=-1).reshape(-1, 2), origin)
    return tuple(f"{lat:.5f}, {lon:.5f}" for lat, lon in at.tolist()), np.c_[at, np.full(len(at), MAST)]


default = Dispersion()
