"""Contact: a switch, a circuit or a button of a lift that stands where it should not, in service."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors.elevator import MAINTENANCE
from detectors.latch import before, lasted, latch
from lifeline.model import Bools, Floats

ONCE, AGAIN, ABOARD = 1.0, 2.0, 3.0  # [1] how grave a limit switch is

Channel = Literal["power", "safety_circuit", "lock_circuit", "limit_switch", "buffer_switch", "landing_button"]
OPENS: Final = ("power", "safety_circuit", "lock_circuit")  # 0 where something is wrong; the others 1


class ContactState(NamedTuple):
    clock: Floats  # [n] [s] it has stood wrong
    ago: Floats  # [n] [s] since it last went wrong; infinite: never
    again: Bools  # [n] it had gone wrong within a day before that


@dataclass(frozen=True)
class Contact:
    """Time that a contact stands wrong, or how often (fault classes of GB/T 24476-2017; codes of fielded terminals).

    channel: which one; the score is the time for which there is no power, the safety circuit or the circuit of the locks is
        open with the door closed, a landing button is pressed, or the switch of a buffer says that it is compressed. For the
        limit switches beyond the last landings it is 1 when one is met, 2 when one was met within a day before (closer
        together than `apart` it is the same event), 3 with somebody seen inside.
    An open door opens circuits, and is no fault of them. Maintenance is not judged: score NaN, clocks stand still. Of an
    unknown mode service is assumed, of an unknown door that it is closed, save for the locks, which are then not judged.
    Timed limits on facts have no statistics: false alarms are those of the contacts.
    """

    channel: Channel = "power"
    apart: float = 60.0  # [s]
    day: float = 86_400.0  # [s]
    origin: float = 0.0  # [s], limit_switch [1]: where the score begins
    scale: float = 10.0  # [s], limit_switch [1]: from `origin` to the bound

    judges: ClassVar[Literal["value"]] = "value"
    warmup: ClassVar[int] = 0  # [1]

    @property
    def channels(self) -> tuple[str, ...]:
        """What is looked at together."""
        return (self.channel, "door", "passengers", "mode")

    @property
    def dimension(self) -> str:
        """What the bounds of its rules are."""
        return "ratio" if self.channel == "limit_switch" else "time"

    def init(self, n: int) -> ContactState:
        """State of n lifts all of whose contacts stand right."""
        return ContactState(np.zeros(n), np.full(n, np.inf), np.zeros(n, np.bool_))

    def step(self, s: ContactState, x: Floats) -> tuple[ContactState, Floats]:
        """x [m, 4, k] -> new state, score [m, k] [1]."""
        if not x.shape[2]:
            return s, np.empty((x.shape[0], 0))
        contact, door, passengers, mode = x.transpose(1, 2, 0)
        judge, wrong = self._wrong(contact, door)
        judge &= mode != MAINTENANCE
        wrong &= judge
        clock = lasted(judge, judge & ~wrong, s.clock)
        value = clock
        if self.channel == "limit_switch":
            s, value = self._met(s, judge, wrong, passengers > 0.5)
        score = np.where(judge, np.maximum((value - self.origin) / self.scale, 0.0), np.nan)
        return s._replace(clock=clock[-1]), score.T

    def _wrong(self, contact: Floats, door: Floats) -> tuple[Bools, Bools]:
        """Where it can be judged, and where it stands wrong. [k, m]"""
        judge = np.isfinite(contact)
        if self.channel not in OPENS:
            return judge, contact > 0.5
        if self.channel == "lock_circuit":
            judge = judge & np.isfinite(door)
        covered = np.zeros_like(judge) if self.channel == "power" else door > 0.5
        return judge, (contact < 0.5) & ~covered

    def _met(self, s: ContactState, judge: Bools, met: Bools, inside: Bools) -> tuple[ContactState, Floats]:
        """How grave it is that a limit switch is met. [k, m] [1]"""
        stood = before(latch(met, judge & ~met, s.clock > 0), s.clock > 0)
        begins = met & ~stood
        ago = lasted(judge, begins, s.ago)
        since = before(ago, s.ago) + 1
        again = latch(begins & (since > self.apart) & (since <= self.day), begins & (since > self.day), s.again)
        value = np.where(met, np.where(inside, ABOARD, np.where(again, AGAIN, ONCE)), 0.0)
        return s._replace(ago=ago[-1], again=again[-1]), value


default = Contact()
