"""What is true of lifts, from their motion without noise: what a perfect observer could know, and from when.

Each fault's trip is run again by itself, ten times a second, and looked at as the table of levels does.
What that table does not grade may be said, as no graver than ORANGE, and need not be.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from lifeline.model import NS, Bools, Floats, Level
from simulators.elevator import harmless, hazards, machine
from simulators.elevator.acting import Acting, Channels, Misreading, Wearing
from simulators.elevator.cars import FLOOR, Cars
from simulators.elevator.sight import sight
from simulators.elevator.stops import SPREAD
from simulators.elevator.trips import HERE
from simulators.faults import Truth, ill
from simulators.weather import Weather
from simulators.world import graded

STEP: Final = 0.1  # [s]
LONGEST: Final = 4 * 3600.0  # [s] of a fault that is looked at
AFTER: Final = 15.0  # [s] that it is looked at after its end
TIMER: Final = 60.0  # [s] a car may stand outside a door zone, or with its door shut on somebody
RESCUE: Final = 1800.0  # [s] within which people must be freed
CONFIRM: Final = 5.0  # [s] that movement with the door open is looked at
TRAVEL: Final = 0.2  # [m] of it that needs no second look
LASTING: Final = 0.5  # [s] of overspeed
FAST: Final = (1.05, 1.10, 1.15, 1.20)  # [1] of the rated speed, BLUE to RED
NOISE: Final = 0.006  # [1] of a speed: three spreads
OF_CYCLES: Final = 50  # door cycles over which re-openings are counted
REOPENED: Final = (0.03, 0.06, 0.12)  # [1] of them, BLUE to ORANGE
SLIP: Final = 0.050  # [m]
WORN: Final[dict[str, tuple[str, tuple[float, ...], float]]] = {
    "brake_distance": ("brake_wear", (0.10, 0.20, 0.35, 0.50), 0.02),  # [1] more than usual
    "levelling": ("levelling", (0.010, 0.015, 0.020, 0.035), SPREAD),  # [m]
    "vibration": ("ride_quality", (0.20, 0.30, 0.45), 0.012),  # [m/s²]
}  # feature -> hazard, bounds, BLUE first, spread of a stop
SHOWN: Final = (
    ("power", 0.0, "power_loss"),
    ("safety_circuit", 0.0, "safety_circuit"),
    ("lock_circuit", 0.0, "safety_circuit"),
)


def truths(cars: Cars, acts: Sequence[Acting], weather: Weather) -> list[Truth]:
    out: list[Truth] = []
    for a in acts:
        if isinstance(a.fault, Misreading):
            out.append(ill(a.fault.asset, _name(a), a.onset, a.end))
        elif isinstance(a.fault, harmless.Maintenance):
            out.append(ill(a.fault.asset, "maintenance", a.onset, a.end))
        elif a.trip is not None:
            out += _seen(cars, a, acts, weather)
        elif isinstance(a.fault, Wearing):
            out += worn(cars, a)
    return out


def _name(a: Acting) -> str:
    """phantom_motion of PhantomMotion."""
    name = type(a.fault).__name__
    return name[0].lower() + "".join(f"_{c.lower()}" if c.isupper() else c for c in name[1:])


class Film:
    """A fault's trip, instant by instant."""

    def __init__(self, cars: Cars, a: Acting, acts: Sequence[Acting], weather: Weather) -> None:
        assert a.trip is not None
        length = min((a.end - a.onset) / NS, LONGEST) + AFTER
        self.t = a.onset + (np.arange(0.0, length, STEP) * NS).astype(np.int64)  # [k] [ns]
        trip = a.trip
        if trip.origin[0] == HERE:  # wherever that is: here the lowest landing stands for it
            trip = trip._replace(origin=np.zeros(1, np.int64), target=np.zeros(1, np.int64))
        mine = [b for b in acts if b.car == a.car]
        self.x: Channels = sight(trip.take(np.zeros(self.t.size, np.int64)), cars, mine, self.t, (), weather)
        self.asset, self.known = cars.asset[a.car], a.trip.origin[0] != HERE
        self.end = a.end

    def runs(self, true: Bools) -> Iterator[tuple[slice, float]]:
        """Stretches in which something holds, and how long each lasts [s]."""
        edge = np.flatnonzero(np.diff(true.astype(np.int8), prepend=0, append=0))
        for i, j in zip(edge[::2].tolist(), edge[1::2].tolist(), strict=True):
            yield slice(i, j), (j - i) * STEP

    def first(self, run: slice, true: Bools) -> float:
        """How long after the beginning of a stretch something first holds; inf: never. [s]"""
        return int(np.argmax(true[run])) * STEP if true[run].any() else np.inf

    def said(self, hazard: str, run: slice, wait: float, least: Level, most: Level) -> Truth:
        """wait: until it can be known. [s]"""
        begin, end = int(self.t[run.start]), int(self.t[run.stop - 1])
        if run.stop == self.t.size:
            end = max(end, self.end)  # longer than it is looked at
        seen = min(begin + round(wait * NS), end)
        return Truth(self.asset, hazard, None, begin, seen, end, least, max(least, most), place=self.place(run.start))

    def place(self, i: int) -> str:
        """The landing, or those between which the car is; "" where only its terminal knows."""
        if not self.known:
            return ""
        storeys = float(self.x["height"][i]) / FLOOR
        if self.x["door_zone"][i]:
            return f"floor-{round(storeys) + 1}"
        return f"floor-{int(np.floor(storeys)) + 1}/{int(np.floor(storeys)) + 2}"


def _seen(cars: Cars, a: Acting, acts: Sequence[Acting], weather: Weather) -> Iterator[Truth]:
    film = Film(cars, a, acts, weather)
    yield from shut_in(film)
    yield from astray(film)
    yield from open_moving(film)
    yield from racing(film, float(cars.rated[a.car]))
    yield from beyond(film)
    yield from shown(film)
    if isinstance(a.fault, hazards.BlockedDoor):
        level = graded(a.fault.cycles / OF_CYCLES, REOPENED)
        if level:
            least = min(level, Level.YELLOW)  # an obstacle, not a broken door
            yield Truth(film.asset, "door_fault", None, a.onset, a.end, a.end, least, Level.ORANGE, film.place(0))
    if isinstance(a.fault, machine.RopeSlip):
        slipped = float(film.x["slip"].sum()) * STEP
        if slipped > SLIP:
            yield Truth(film.asset, "rope_slip", None, a.onset, a.end, a.end, Level.RED, Level.RED)
    if isinstance(a.fault, hazards.Entrapment) and a.fault.place == "landing":
        yield Truth(film.asset, "door_fault", None, a.onset, a.onset, a.end, Level.NORMAL, Level.RED)
    if isinstance(a.fault, machine.Reversal | machine.BrakeDrag | machine.Overtravel):
        yield Truth(film.asset, _name(a), None, a.onset, a.onset, a.end, Level.NORMAL, Level.ORANGE)


def shut_in(film: Film) -> Iterator[Truth]:
    """Stopped, with somebody inside, and no way out: at a landing ORANGE after a minute, RED after the button or half an hour;
    between landings RED after a minute or the button.
    """
    x = film.x
    stuck = (x["speed"] == 0) & (x["passengers"] > 0) & (x["mode"] == 0) & ((x["door"] == 0) | (x["door_zone"] == 0))
    for run, lasts in film.runs(stuck):
        pressed = film.first(run, x["alarm_button"] > 0)
        red = min(pressed, TIMER if not x["door_zone"][run].all() else RESCUE)
        if lasts >= red:
            yield film.said("entrapment", run, min(red, TIMER), Level.RED, Level.RED)
        elif lasts >= TIMER:
            yield film.said("entrapment", run, TIMER, Level.ORANGE, Level.RED)


def astray(film: Film) -> Iterator[Truth]:
    """Stopped outside any door zone for a minute: YELLOW when empty; with people inside it may be said besides."""
    x = film.x
    for run, lasts in film.runs((x["speed"] == 0) & (x["door_zone"] == 0) & (x["mode"] == 0)):
        if lasts >= TIMER:
            empty = not (x["passengers"][run] > 0).any()
            yield film.said("stop_outside_zone", run, TIMER, Level.YELLOW if empty else Level.NORMAL, Level.YELLOW)


def open_moving(film: Film) -> Iterator[Truth]:
    """Moving with the door open for five seconds, or by 0.2 m: RED."""
    x = film.x
    for run, lasts in film.runs((x["speed"] > 0) & (x["door"] > 0) & (x["mode"] == 0)):
        far = film.first(run, np.abs(x["height"] - x["height"][run.start]) > TRAVEL)
        if min(far, CONFIRM) <= lasts:
            yield film.said("door_open_moving", run, min(far, CONFIRM), Level.RED, Level.RED)


def racing(film: Film, rated: float) -> Iterator[Truth]:
    """Faster than rated for half a second."""
    share: Floats = film.x["speed"] / rated
    for run, lasts in film.runs(share >= FAST[0]):
        if lasts >= LASTING:
            top = float(share[run].max())
            least, most = (graded(top * (1 + s), FAST) for s in (-NOISE, NOISE))
            yield film.said("overspeed", run, LASTING, least, most)


def beyond(film: Film) -> Iterator[Truth]:
    """A limit switch: YELLOW; with somebody aboard, or down on the buffer, RED."""
    x = film.x
    for run, _ in film.runs(x["limit_switch"] > 0):
        last = np.round(x["height"][run] / FLOOR) * FLOOR
        grave = (x["passengers"][run] > 0).any() or (np.abs(x["height"][run] - last) >= machine.BUFFER).any()
        yield film.said("overrun", run, STEP, Level.RED if grave else Level.YELLOW, Level.RED)


def shown(film: Film) -> Iterator[Truth]:
    """Circuits and power have channels of their own."""
    for channel, value, hazard in SHOWN:
        for run, _ in film.runs(film.x[channel] == value):
            yield film.said(hazard, run, STEP, Level.NORMAL, Level.ORANGE)


def worn(cars: Cars, a: Acting) -> Iterator[Truth]:
    """What wears is detectable when it stands two spreads of a stop above what it was, or at the lowest bound."""
    if a.fault.feature not in WORN:
        return
    hazard, bounds, spread = WORN[a.fault.feature]
    t = np.linspace(0.0, min((a.end - a.onset) / NS, 400 * 86_400.0), 100_001)
    usual = {"brake_distance": cars.brake[a.car], "levelling": 0.0, "vibration": cars.rough[a.car]}[a.fault.feature]
    now = np.abs(a.fault.grown(t, np.full(t.size, usual)))
    share = now / usual - 1 if a.fault.feature == "brake_distance" else now
    level = graded(float(share.max()), bounds)
    if level:
        known = share >= min(bounds[0], share[0] + 2 * spread)
        seen = a.onset + round(float(t[np.argmax(known)]) * NS)
        most = Level(min(level + 1, Level.RED))
        yield Truth(cars.asset[a.car], hazard, None, a.onset, seen, max(a.end, seen), level, most)
