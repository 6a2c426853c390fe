"""What is true of the bridge world, from its physics without noise: what a perfect observer could know, and from when.

A hazard can be known from the first instant at which what its fault alone changes stands three spreads of noise away.
Bounds are those in use or proposed for each quantity; a value within a twentieth of one may be called either way, and two
sensors or quantities that agree may be called one level graver than either. A lone sensor warns no higher than YELLOW.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from lifeline.measures import TIMES
from lifeline.model import NS, Bools, Floats, Level
from lifeline.units import UNITS, G
from simulators.bridge import behaviour as of
from simulators.bridge import loads
from simulators.bridge.faults import Blocked, CableLoss, Creep, Impact, Scour, Settlement, Stiffness, Storm, Unloading, Vortices
from simulators.bridge.happening import Acting
from simulators.bridge.layout import SENSORS
from simulators.bridge.modes import Swing, felt, ride, step_of
from simulators.bridge.passing import Convoy, Crowd, Overload
from simulators.bridge.spans import SIDES
from simulators.bridge.station import CABLE as STRUNG
from simulators.bridge.station import Station
from simulators.bridge.vehicles import DESIGN, Crossings
from simulators.faults import Truth
from simulators.world import graded

OVERLOAD, BEARING, IMPACT, TILT = "bridge_overload", "bridge_bearing", "bridge_impact", "bridge_tilt"
OVERTURNING = "bridge_overturning"
VIBRATION, STIFFNESS, CABLE = "bridge_vibration", "bridge_stiffness", "bridge_cable"
JOINT, DEFLECTION, WIND = "bridge_joint", "bridge_deflection", "bridge_wind"

NEVER: Final = float("inf")
WEIGHT: Final = (1.2, 1.5, 2.0, 2.5)  # [1] of the design vehicle: gross masses
LIVE: Final = (0.6, 0.8, 1.0, 1.2)  # [1] of the design live load: deflection, strain
SWAY: Final = (0.20, 0.315, 0.50, 0.80)  # [m/s²] RMS over ten minutes
SHOCK: Final = (0.03 * G, 0.05 * G, 0.15 * G, NEVER)  # [m/s²] peak at a pier
LEAN: Final = tuple(np.deg2rad([0.02, 0.05, 0.10, 0.20]).tolist())  # [rad]
JERK: Final = float(np.deg2rad(0.05))  # [rad] a tilt within a minute that is RED
DROP: Final = (0.015, 0.05, 0.10, 0.15)  # [1] of a frequency
SLACK: Final = (0.05, 0.10, 0.15, 0.20)  # [1] of a cable's force
GROWTH: Final = tuple(1e-3 * x / TIMES["year"] for x in (1, 3, 5, 10))  # [m/s] of a deflection that stays
SPRUNG: Final = (NEVER, NEVER, NEVER, 0.010)  # [m] of one that comes at once
RELIEF: Final = (0.05, 0.10, 0.15, 0.90)  # [1] of a bearing's dead load
TURNS: Final = (
    NEVER,
    0.3,
    0.4,
    0.67,
)  # [1] of a bearing's dead load, taken off by a load: 1 over the safety against overturning
BRIEF: Final = 0.8  # [1] of the most that a passing load takes off is seen by readings of a second
ODD: Final = (3.0, 4.0, 5.0, 6.0)  # [1] spreads of a joint about what its temperature makes of it
GALE: Final = (15.0, 20.0, 25.0, NEVER)  # [m/s] mean wind
SURE: Final = 0.95  # [1] within so much of a bound either level is right
MODEL: Final = 5e-4  # [m] spread of a joint about its temperature: 0.1 % of the range, twice over for the fit
LONGEST: Final = 130 * 86_400.0  # [s] of a fault that is looked at
WINDOW: Final = 600  # [s] of an RMS, of a mean wind
HOUR: Final = 3600.0  # [s]


def grid(a: Acting, step: float) -> Floats:
    """Instants from an onset to the end, or for as long as is looked. [k] [s of the epoch]"""
    return a.onset + np.arange(0.0, max(min(a.end - a.onset, LONGEST), step) + step, step)


def levels(value: float, bounds: Sequence[float]) -> tuple[Level, Level]:
    """What must be, and what may be said, of a value."""
    alone = graded(value / SURE, bounds)
    return graded(SURE * value, bounds), Level(min(alone + 1, Level.RED)) if alone else alone


def _two(st: Station, a: Acting, x: Callable[[Sequence[Acting]], Floats]) -> tuple[Floats, Floats]:
    """A quantity of the bridge with what acts, and without this one. x: of faults -> [b, …]"""
    others = [other for other in st.acts if other is not a]
    return x(st.acts)[a.bridge], x(others)[a.bridge]


def _weighty(st: Station, a: Acting, f: Overload | Convoy) -> Iterator[Truth]:
    """By mass, vehicle for vehicle; by what they do together to the span and its bearings, and what the other traffic adds."""
    s, b = st.spans, a.bridge
    mine = f.vehicles(a, float(s.length[b]))
    first, last = float(mine.enter.min()), float(mine.leave.max())
    t = np.arange(first, last, max(0.1, (last - first) / 5000))
    live, everybody = (of.carried(s, t, on, st.acts) for on in (mine, st.on(t)))
    by_mass = levels(f.mass / DESIGN, WEIGHT)
    by_live = levels(_share(st, b, live), LIVE)[0], levels(_share(st, b, everybody), LIVE)[1]
    if f.mass >= 1.5 * DESIGN and _together(mine) > 1:
        by_mass = (Level.RED, Level.RED)
    least, most = max(by_mass[0], by_live[0]), max(by_mass[1], by_live[1])
    side = "right" if f.side > 0 else "left"
    if least:
        moved = np.abs(live.sag[b]) >= 3 * _noise("deflection")
        weighed = "wim" in st.fitted.kinds and by_mass[0] > Level.NORMAL
        known = first if weighed else max(first, float(t[np.argmax(moved)]))
        yield _truth(s.asset[b], OVERLOAD, first, known, last, (least, most), f"{side} lane")
    bearing = of.reactions(s, t, live.bearing, st.acts)[b] / s.dead[b]
    yield from _turning(st, a, (first, last), t, 1 - bearing, 1 - of.reactions(s, t, everybody.bearing, st.acts)[b] / s.dead[b])
    lifted = bearing.min(axis=0) <= 1 - RELIEF[3]
    if lifted.any():
        which = SIDES[int(bearing.min(axis=1).argmin())]
        off = float(t[np.argmax(lifted)])
        yield _truth(s.asset[b], BEARING, first, off, last, (Level.YELLOW, Level.RED), which)


def _turning(st: Station, a: Acting, while_: tuple[float, float], t: Floats, mine: Floats, all_: Floats) -> Iterator[Truth]:
    """By what a load takes off the bearings of the other side: mine by itself, all with the traffic. mine, all_ [4, k] [1]"""
    least, most = graded(BRIEF * float(mine.max()), TURNS), levels(float(all_.max()), TURNS)[1]
    if least:
        off = float(t[np.argmax(mine.max(axis=0) >= SURE * TURNS[1])])
        which = SIDES[int(mine.max(axis=1).argmax())]
        yield _truth(st.spans.asset[a.bridge], OVERTURNING, while_[0], off, while_[1], (least, most), which)


def _share(st: Station, b: int, live: of.Carried) -> float:
    """Of the design live load, by deflection or strain, at most. [1]"""
    sag, strain = st.spans.design
    return float(np.maximum(live.sag[b] / sag[b], live.strain[b] / strain[b]).max())


def _together(on: Crossings) -> int:
    """How many are on the span at once, at most."""
    return max(int(((on.enter <= x) & (on.leave > x)).sum()) for x in on.enter.tolist())


def _struck(st: Station, a: Acting, f: Impact) -> Iterator[Truth]:
    """From the pier's own answer to the push, and from what remains."""
    s, b, rate = st.spans, a.bridge, 1000
    step = step_of(s.omega[[b], -1], s.zeta[[b], -1], 1 / rate)
    push = f.push(np.arange(1.0, rate + 1) / rate)[None]
    shake = np.abs(felt(step, ride(step, Swing(*np.zeros((3, 1))), push), push)).max()
    piers = st.fitted.shape(s.modes)[:, -1]
    piers = piers[piers > 0] if (piers > 0).any() else np.ones(1)
    least, most = levels(float(shake * piers.min()), SHOCK)[0], levels(float(shake * piers.max()), SHOCK)[1]
    now, usual = _two(st, a, lambda acts: of.leaning(s, np.array([a.onset + f.width]), acts))
    stays = float(now[0] - usual[0])
    if least >= Level.ORANGE and stays >= JERK:
        least = most = Level.RED
    over = a.onset + f.width
    if least:
        yield _truth(s.asset[b], IMPACT, a.onset, over, a.end, (least, most), "pier")
    lean = levels(stays, LEAN)
    if lean[0]:
        most = Level.RED if stays >= SURE * JERK else lean[1]
        yield _truth(s.asset[b], TILT, a.onset, over, a.end, (lean[0], most), "pier")


def _shaking(st: Station, a: Acting, _: Vortices | Crowd) -> Iterator[Truth]:
    """The RMS over ten minutes at the accelerometer of the deck that swings most."""
    s, b = st.spans, a.bridge
    rms, own = _alone(st, a), float(s.ambient[b])
    over = np.sqrt(np.convolve(rms**2, np.full(WINDOW, 1 / WINDOW))[: rms.size] + own**2)
    least, most = levels(float(over.max()), SWAY)
    if not least:
        return
    width = s.damping[b] * s.omega[b, 0]  # [Hz] band of the first mode, 2πζf
    known = int(np.argmax(over >= own * (1 + 3 / (2 * np.sqrt(width * WINDOW)))))
    deck = (st.fitted.shape(s.modes)[:, :-1] != 0).any(axis=1).sum()
    least = least if deck > 1 else min(least, Level.YELLOW)
    yield _truth(s.asset[b], VIBRATION, a.onset, a.onset + known + 1, a.end, (least, most), "span")


def _alone(st: Station, a: Acting) -> Floats:
    """RMS of what a fault alone does to the modes of the deck, from rest, second by second; for an hour at most. [k] [m/s²]"""
    s, b, rate = st.spans, a.bridge, st.fitted.rate
    t = a.onset + np.arange(1, round(min(a.end - a.onset, HOUR)) * rate + 1) / rate
    load = loads.pushed(s, t, [a], s.omega)[b, :-1]
    step = step_of(s.omega[b, :-1], s.zeta[b, :-1], 1 / rate)
    moved = felt(step, ride(step, Swing(*np.zeros((3, s.modes))), load), load)
    told = np.vstack([st.fitted.shape(s.modes)[:, :-1] @ moved, np.zeros(t.size)])
    return np.asarray(np.sqrt((told**2).reshape(len(told), -1, rate).mean(axis=2)).max(axis=0))


def _softer(st: Station, a: Acting, f: Stiffness | Scour) -> Iterator[Truth]:
    """Frequencies that fall, temperature taken out."""
    t, mode = grid(a, 600.0), -1 if isinstance(f, Scour) else 0
    now, usual = (x[mode] for x in _two(st, a, lambda acts: of.pitched(st.spans, t, acts, st.climate)))
    drop = 1 - now / usual
    known = drop >= 3 * (st.spread[a.bridge, mode] if "frequency" in st.fitted.kinds else 0.005)
    part = "pier" if mode else "span"
    yield from _found(st, a, STIFFNESS, t, known, levels(float(drop.max()), DROP), part, lone=True)


def _leaning(st: Station, a: Acting, _: Settlement | Scour) -> Iterator[Truth]:
    t = grid(a, 600.0)
    now, usual = _two(st, a, lambda acts: of.leaning(st.spans, t, acts))
    lean = now - usual
    yield from _found(st, a, TILT, t, lean >= 3 * _noise("tilt"), levels(float(lean.max()), LEAN), "pier")


def _slack(st: Station, a: Acting, f: CableLoss) -> Iterator[Truth]:
    """By the force that a cable's frequency tells, temperature taken out."""
    t, cables = grid(a, 600.0), st.cables
    mine = (cables.bridge == a.bridge) & (cables.number == f.cable)
    others = [x for x in st.acts if x is not a]
    now, usual = (of.strung(cables, t, x, st.climate)[mine][0] for x in (st.acts, others))
    gone = 1 - now / usual
    yield from _found(st, a, CABLE, t, gone >= 3 * STRUNG[1], levels(float(gone.max()), SLACK), f"cable-{f.cable}", lone=True)


def _sinking(st: Station, a: Acting, _: Settlement | Creep) -> Iterator[Truth]:
    """By its growth over three months, if it lasts so long; by what comes within a day."""
    t = grid(a, HOUR)
    now, usual = _two(st, a, lambda acts: of.sunk(st.spans, t, acts))
    sag = now - usual
    slow, quick = (float((sag[k:] - sag[:-k]).max(initial=0.0)) for k in (90 * 24, 24))
    both = levels(slow / (90 * 24 * HOUR), GROWTH), levels(quick, SPRUNG)
    said = max(x[0] for x in both), max(x[1] for x in both)
    yield from _found(st, a, DEFLECTION, t, sag >= 3 * _noise("deflection"), said, "span", lone=True)


def _blocked(st: Station, a: Acting, _: Blocked) -> Iterator[Truth]:
    """From what the temperature would have done to the joint; one that is stuck for a week may be RED."""
    t = grid(a, 600.0)
    now, usual = _two(st, a, lambda acts: of.opened(st.spans, t, acts, st.climate))
    away = np.abs(now - usual)
    least, most = levels(float(away.max()) / MODEL, ODD)
    most = Level.RED if a.end - a.onset >= TIMES["week"] else most
    yield from _found(st, a, JOINT, t, away >= 3 * _noise("joint"), (least, most), "joint", lone=True)


def _relieved(st: Station, a: Acting, _: Unloading) -> Iterator[Truth]:
    """By what the bearing bears without traffic."""
    t = grid(a, 600.0)
    empty = np.zeros((st.spans.n, 4, t.size))
    now, usual = _two(st, a, lambda acts: of.reactions(st.spans, t, empty, acts))
    lost = usual - now
    which = int(lost.max(axis=1).argmax())
    said = levels(float((lost / usual)[which].max()), RELIEF)
    yield from _found(st, a, BEARING, t, lost[which] >= 3 * _noise("bearing"), said, SIDES[which], lone=True)


def _windy(st: Station, a: Acting, _: Storm) -> Iterator[Truth]:
    """By the mean over ten minutes, bridge for bridge."""
    t = a.onset + np.arange(0.0, min(a.end - a.onset, 86_400.0) + 10.0, 10.0)
    wind = of.blown(st.spans, t, st.acts, st.weather)
    for asset, x in zip(st.spans.asset, wind, strict=True):
        mean = np.convolve(x, np.full(WINDOW // 10, 10 / WINDOW), "valid") if x.size >= WINDOW // 10 else x
        least, most = levels(float(mean.max()), GALE)
        if least:
            yield _truth(
                asset, WIND, a.onset, a.onset + 10.0 * (x.size - mean.size), a.end, (min(least, Level.YELLOW), most), ""
            )


def _found(
    st: Station, a: Acting, hazard: str, t: Floats, known: Bools, said: tuple[Level, Level], place: str, *, lone: bool = False
) -> Iterator[Truth]:
    """One that can be known once it is large enough to matter. t, known [k]; lone: one sensor sees it"""
    least, most = said
    if least and known.any():
        least = min(least, Level.YELLOW) if lone else least
        yield _truth(st.spans.asset[a.bridge], hazard, a.onset, float(t[np.argmax(known)]), a.end, (least, most), place)


def _noise(kind: str) -> float:
    """Of a sensor. [SI]"""
    return SENSORS[kind].noise * UNITS[SENSORS[kind].unit].scale


def _truth(asset: str, hazard: str, onset: float, seen: float, end: float, said: tuple[Level, Level], place: str) -> Truth:
    """Instants [s]."""
    begin, known, over = (round(x * NS) for x in (onset, seen, end))
    return Truth(asset, hazard, None, begin, max(begin, known), max(over, known), said[0], max(said), place=place)


SAID: Final[Mapping[type, Sequence[Callable[..., Iterator[Truth]]]]] = {
    Overload: (_weighty,),
    Convoy: (_weighty,),
    Impact: (_struck,),
    Vortices: (_shaking,),
    Crowd: (_shaking,),
    Stiffness: (_softer,),
    Scour: (_leaning, _softer),
    CableLoss: (_slack,),
    Settlement: (_sinking, _leaning),
    Creep: (_sinking,),
    Blocked: (_blocked,),
    Unloading: (_relieved,),
    Storm: (_windy,),
}


def truths(st: Station) -> list[Truth]:
    """Of everything that acts on the bridges."""
    return [true for a in st.acts for say in SAID.get(type(a.fault), ()) for true in say(st, a, a.fault)]
