"""Slip: ropes that slide on their sheave, out of the speeds of both."""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors.elevator import MAINTENANCE
from detectors.history import MEDIAN, NORMAL
from lifeline.model import Bools, Floats, Ints

SPANS: Final = (2, 4, 8)  # [s] within which a slide is looked for
SLOW: Final = 0.5  # [m/s] below which the error of an encoder shrinks no more
EVEN: Final = {"slide": 1e-3, "creep": 1e-4}  # [s], [1] below which a lift is taken to be as even as this


class SlipState(NamedTuple):
    going: Bools  # [n]
    ran: Bools  # [n] both have moved in this trip
    sheave: Floats  # [n] [m/s] last
    rope: Floats  # [n] [m/s] last
    gone: Floats  # [n] [m] by which the sheave is ahead, in this trip
    way: Floats  # [n] [m] that the sheave has run in it
    past: Floats  # [n, 8] [m] by which the sheave got ahead in each of the last seconds
    rush: Floats  # [n, 8] [m²/s²] square of the speed in them
    far: Floats  # [n, 3] [s] farthest slide of the trip within each of the spans, over the root of the squares of the speed
    slid: Floats  # [n] [m] farthest slide of the trip that is out of the usual
    first: Floats  # [n, teach, e] what the first trips said
    seen: Ints  # [n] trips that count
    usual: Floats  # [n, e] their median
    spread: Floats  # [n, e] from their MAD
    last: Floats  # [n, window] [1] a ring of the last trips' creep
    said: Floats  # [n] [1] the score that stands


@dataclass(frozen=True)
class Slip:
    """How far ropes slide on their sheave in a trip, or how much more they creep than they used to.

    Slip is the way of the sheave's rim less that of the ropes (traction by Euler's T1/T2 <= exp(f alpha), EN 81-50:2020, 5.11).
    `slide`: the farthest within 2, 4 or 8 seconds of a trip, to either side. `creep`: slip over way, the median of the last
    `window` trips of `long` metres or more, beyond that of the first `warmup`.

    Both count only where they are out of what the lift itself does. Errors of encoders are shares of the speed, so that a slide
    is held over the root of the summed squares of the speed (and of 0.5 m/s): it must be `times` as far, on that scale, as the
    farthest of the median of the first `teach` trips, and without its greatest second still `less` times, which one wrong
    reading is not. A creep must be `sure` standard errors of the two medians beyond that of the first, their spread being
    1.4826 MAD (F. R. Hampel, J. Am. Stat. Assoc. 69, 1974, 383-393). So encoders that are not read in the same instant, or
    whose wheel is known to a per cent only, raise nothing; what they hide is not seen. Nothing is said in the first trips.
    False alarms: docs/detectors/slip.md.
    A speed that repeats itself to the last digit while the other is `jump` away, or stands, was not told anew: that second does
    not count, but for a standstill after both have run. Maintenance is not judged: score NaN, memory stands still.
    """

    of: Literal["slide", "creep"] = "slide"
    teach: int = 50  # [1]
    window: int = 15  # [1] trips
    times: float = 4.0  # [1]
    less: float = 2.0  # [1]
    sure: float = 7.0  # [1] standard errors
    long: float = 10.0  # [m]
    jump: float = 0.1  # [m/s]
    origin: float = 0.0  # [m], creep [1]: where the score begins
    scale: float = 0.025  # [m], creep [1]: from `origin` to the bound

    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ("sheave_speed", "rope_speed", "mode")
    warmup: ClassVar[int] = 0  # [1]

    @property
    def dimension(self) -> str:
        """What the bounds of its rules are."""
        return "length" if self.of == "slide" else "ratio"

    @property
    def _kinds(self) -> int:
        """What a trip says: numbers. [1]"""
        return len(SPANS) if self.of == "slide" else 1

    def init(self, n: int) -> SlipState:
        """State of n lifts at rest that have made no trip."""
        e, spans, none = self._kinds, len(SPANS), np.zeros(n)
        return SlipState(
            np.zeros(n, np.bool_), np.zeros(n, np.bool_), none, none.copy(), none.copy(), none.copy(), np.zeros((n, SPANS[-1])),
            np.zeros((n, SPANS[-1])), np.zeros((n, spans)), none.copy(), np.zeros((n, self.teach, e)), np.zeros(n, np.int64),
            np.zeros((n, e)), np.zeros((n, e)), np.zeros((n, self.window)), none.copy(),
        )  # fmt: skip

    def step(self, s: SlipState, x: Floats) -> tuple[SlipState, Floats]:
        """x [m, 3, k] -> new state, score [m, k] [1]."""
        s = SlipState._make(a.copy() for a in s)
        sheave, rope, mode = x.transpose(1, 2, 0)
        sheave, rope = np.abs(sheave), np.abs(rope)
        judge = np.isfinite(sheave) & np.isfinite(rope) & (mode != MAINTENANCE)
        moves = judge & (np.maximum(sheave, rope) > 0)
        score, hot = np.empty(sheave.shape), moves.any(axis=1)
        for j, said in enumerate(score):
            if hot[j] or s.going.any():
                self._tick(s, sheave[j], rope[j], judge[j], moves[j])
            said[:] = np.where(judge[j], s.said, np.nan)
        return s, score.T

    def _tick(self, s: SlipState, sheave: Floats, rope: Floats, judge: Bools, moves: Bools) -> None:
        """A second of all lifts, in place. [m]"""
        self._began(s, moves & ~s.going)
        here = s.going & judge
        ahead = np.where(here & ~self._untold(s, sheave, rope), sheave - rope, 0.0)
        s.gone[here] += ahead[here]
        s.way[here] += sheave[here]
        if self.of == "slide":
            for past, now in ((s.past, ahead), (s.rush, np.maximum(sheave, rope) ** 2)):
                past[here] = np.hstack([past[here, 1:], now[here, None]])
            self._slides(s, here)
        s.ran[here] |= (sheave[here] > 0) & (rope[here] > 0)
        s.sheave[judge], s.rope[judge] = sheave[judge], rope[judge]
        over = np.flatnonzero(here & ~moves)
        if over.size:
            self._over(s, over)

    def _began(self, s: SlipState, new: Bools) -> None:
        """Trips that begin. new [m]"""
        s.going[new] = True
        for a in (s.ran, s.gone, s.way, s.past, s.rush, s.far, s.slid):
            a[new] = 0

    def _untold(self, s: SlipState, sheave: Floats, rope: Floats) -> Bools:
        """Where a speed only stands since nobody told it anew. [m]"""
        far = np.abs(sheave - rope) > self.jump
        one = (sheave == s.sheave) & ((sheave > 0) | ~s.ran) & (far | (rope == 0))
        other = (rope == s.rope) & ((rope > 0) | ~s.ran) & (far | (sheave == 0))
        return np.asarray(one | other)

    def _slides(self, s: SlipState, here: Bools) -> None:
        """The farthest slides that end with this second. here [m]"""
        ready = here & (s.seen >= self.teach)
        gone, great, rush = np.zeros((3, here.size))
        for i in range(1, SPANS[-1] + 1):
            gone, rush = gone + s.past[:, -i], rush + s.rush[:, -i]
            great = np.where(np.abs(s.past[:, -i]) > np.abs(great), s.past[:, -i], great)
            if i in SPANS:
                e, root = SPANS.index(i), np.sqrt(rush + SLOW**2)
                keen, rest = np.abs(gone) / root, np.abs(gone - great) / root
                out = ready & (keen >= self.times * s.usual[:, e]) & (rest >= self.less * s.usual[:, e])
                s.slid[out] = np.maximum(s.slid[out], np.abs(gone[out]))
                s.far[here, e] = np.maximum(s.far[here, e], keen[here])
        s.said[here] = np.maximum((s.slid[here] - self.origin) / self.scale, 0.0)

    def _over(self, s: SlipState, i: Ints) -> None:
        """Trips that have ended: they teach, or are held against what was taught. i [a]"""
        s.going[i] = False
        if self.of == "creep":
            i = i[s.way[i] >= self.long]
        event = s.far[i] if self.of == "slide" else (s.gone[i] / s.way[i])[:, None]
        new = s.seen[i] < self.teach
        s.first[i[new], s.seen[i[new]]] = event[new]
        if self.of == "creep":
            self._crept(s, i[~new], event[~new, 0])
        s.seen[i] += 1
        done = i[s.seen[i] == self.teach]
        if done.size:
            s.usual[done] = np.median(s.first[done], axis=1)
            off = np.abs(s.first[done] - s.usual[done][:, None])
            s.spread[done] = np.maximum(NORMAL * np.median(off, axis=1), EVEN[self.of])
            if self.of == "slide":
                s.usual[done] = np.maximum(s.usual[done], EVEN[self.of])

    def _crept(self, s: SlipState, i: Ints, creep: Floats) -> None:
        """Trips past the first ones. i, creep [a]"""
        s.last[i, s.seen[i] % self.window] = creep
        full = i[s.seen[i] >= self.teach + self.window - 1]
        more = np.median(s.last[full], axis=1) - s.usual[full, 0]
        error = s.spread[full, 0] * MEDIAN * np.sqrt(1 / self.window + 1 / self.teach)  # both are medians
        s.said[full] = np.where(more >= self.sure * error, np.maximum((more - self.origin) / self.scale, 0.0), 0.0)


default = Slip()
