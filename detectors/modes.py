"""Modes: frequencies and shapes of a bridge, found in its own vibration and freed of temperature."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from detectors.spectra import TOGETHER, TWIN, Complexes, decomposed, hann, mac, paired, peaks, placed, through, twins
from detectors.thermal import Thermal, ThermalState
from lifeline.model import NS, Floats, Ints, Members

HOUR: Final = 3600.0  # [s]
DAY: Final = 24  # [h]
WHOLE: Final = 0.9  # [1] of a window that must be there
FEW: Final = 20  # [1] windows that make a spectrum
MANY: Final = 200  # [1] windows in which the modes are found that are followed
MOST: Final = 8  # [1] accelerometers of a bridge that are looked at
HALF: Final = 0.5  # [1] of a shape's square by which it is known; and of its greatest part by which one is moved
NEARLY: Final = 0.5  # [1] of its distance by which a peak may miss the place of another of its shape
FAINT: Final = 0.1  # [1] of the highest peak that may be the mode: a lower one is not


class ModesState(NamedTuple):
    at: Ints  # [1] number of the half window being filled; -1: none yet
    held: Floats  # [n, window] [m/s²] the half before, and this one; NaN: nothing was said
    cross: Complexes  # [p, p, f] [1] sum of the cross-spectra of windows, each over its power
    windows: Ints  # [p, p] [1] windows in it
    felt: Floats  # [b, window / 2] [K] temperatures of the half window being filled; NaN: not told
    heat: Floats  # [b] [K] sum of the temperatures of the hour's slots before it
    spells: Ints  # [b] [1] slots in it
    first: Floats  # [modes] [Hz] frequencies as first found; NaN: no such mode
    shape: Complexes  # [modes, p] [1] shapes as first found
    found: Floats  # [modes] [Hz] as last found; NaN: not found any more
    stood: Floats  # [modes] [Hz] where each was last found; NaN: never yet
    double: Floats  # [modes, 2] [1] log of how far below and above it a peak of its shape was last seen; NaN: never
    age: Ints  # [1] [h] since
    grade: Floats  # [n] [1] score of the last day
    told: NDArray[np.bool_]  # [n] members who have been told it
    last: Ints  # from here on as in ThermalState: of modes and thermometers, hour by hour
    slow: Floats
    normal: Floats
    moment: Floats
    square: Floats
    number: Floats
    origin: Floats
    x: Floats
    y: Floats
    means: Floats
    left: Floats
    days: Floats
    sum_: Floats
    now: Floats
    due: NDArray[np.bool_]


OWN: Final = ModesState._fields.index("last")


@dataclass(frozen=True)
class Modes:
    """Loss of a mode's frequency that temperature does not explain, in units of `share` where it is sure.

    Welch's cross-spectra of all accelerometers (Hann windows that overlap by half; P. D. Welch, IEEE Trans. Audio
    Electroacoust. 15, 1967, 70-73), each window over its own power, so that no lorry outweighs an hour. Modes are peaks of
    the first singular value, their shapes the first singular vectors (frequency domain decomposition: R. Brincker, L.
    Zhang, P. Andersen, Smart Mater. Struct. 10, 2001, 441-445). Each hour modes and peaks are paired by shape, not by order,
    all at once: a peak within `reach` of a mode's frequency with a MAC of `alike` or more (R. J. Allemang, D. L. Brown, Proc.
    1st Int. Modal Anal. Conf., 1982, 110-116) may be that mode, no peak is two, and what is in doubt is not found. A mode lies
    where the spectrum through its shape has its oscillator's pole. Hours and days then go
    through `Thermal`, with the thermometers of the bridge: up to 1 the score is how sure a loss is; a sure one has its size,
    be that less than 1. Members that a mode moves are told of it. False alarms: docs/detectors/modes.md.
    """

    over: tuple[str, ...] = ("acceleration", "pier_acceleration")
    beside: tuple[str, ...] = ("temperature",)
    within: Literal["asset", "district", "domain"] = "asset"
    slot: float = 0.1  # [s]
    window: int = 600  # [slot] even
    band: tuple[float, float] = (0.2, 4.5)  # [Hz]
    modes: int = 4  # [1] that are followed, the plainest
    reach: float = 0.2  # [1] of the frequency as first found
    alike: float = 0.9  # [1] MAC
    stale: int = 6  # [h] for which what was found last stands: vibration may come in bursts
    share: float = 0.015  # [1] of the frequency: unit of the score beyond 1
    learn: int = 14  # [d] that only teach
    looked: tuple[int, ...] = ()  # [p] members that are looked at, set by `settled`
    warm: tuple[int, ...] = ()  # [b] members that explain, set by `settled`

    panel: ClassVar[Literal[True]] = True
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return round(self.learn * DAY * HOUR / self.slot)

    @property
    def thermal(self) -> Thermal:
        """What judges the frequencies, with the temperatures behind them."""
        m, b = self.modes, len(self.warm)
        return Thermal(
            side="down", share=self.share, learn=self.learn,
            judged=(True,) * m + (False,) * b, warm=(False,) * m + (True,) * b,
        )  # fmt: skip

    @property
    def bins(self) -> slice:
        """Of a window's spectrum, those in the band."""
        low, high = (round(f * self.window * self.slot) for f in self.band)
        return slice(low, high + 1)

    @property
    def hertz(self) -> Floats:
        """[f] [Hz]"""
        return np.asarray(np.fft.rfftfreq(self.window, self.slot)[self.bins])

    def settled(self, m: Members) -> Self | None:
        """None without two waveforms, or without a temperature."""
        fast = np.flatnonzero(m.judged & (m.step <= self.slot))
        warm = np.flatnonzero(~m.judged)
        if fast.size < 2 or not warm.size:
            return None
        some = fast[np.unique(np.linspace(0, fast.size - 1, min(fast.size, MOST)).round().astype(np.int64))]
        return replace(self, looked=tuple(some.tolist()), warm=tuple(warm.tolist()))

    def init(self, n: int) -> ModesState:
        """A bridge of which nothing is known."""
        p, b, m = len(self.looked), len(self.warm), self.modes
        nan, half = np.full(m, np.nan), self.window // 2
        return ModesState(
            np.full(1, -1, np.int64), np.full((p, 2 * half), np.nan), np.zeros((p, p, self.hertz.size), np.complex128),
            np.zeros((p, p), np.int64), np.full((b, half), np.nan), np.zeros(b), np.zeros(b, np.int64), nan,
            np.zeros((m, p), np.complex128), nan.copy(), nan.copy(), np.full((m, 2), np.nan), np.zeros(1, np.int64),
            np.full(n, np.nan), np.ones(n, np.bool_), *self.thermal.init(m + b),
        )  # fmt: skip

    def step(self, s: ModesState, x: Floats, t: Ints) -> tuple[ModesState, Floats]:
        """x [n, k] slots [m/s²], [K], t [k] -> new state, score [n, k] [1], told with the first slots after each day."""
        s = ModesState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        half = self.window // 2
        slot = (t - 1) // round(self.slot * NS)
        number = slot // half
        looked, warm = np.array(self.looked, np.int64), np.array(self.warm, np.int64)
        edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), t.size] if t.size else []
        for a, b in pairwise(edges):
            if number[a] != s.at[0]:
                s = self._closed(s, int(number[a]))
            s.held[:, half + slot[a:b] % half] = x[looked, a:b]
            s.felt[:, slot[a:b] % half] = x[warm, a:b]
            self._tell(s, x[:, a:b], score[:, a:b])
        return s, score

    def _tell(self, s: ModesState, x: Floats, score: Floats) -> None:
        """Give the members the score of the day that they were not told yet. x, score [n, k]"""
        there = np.isfinite(x) & ~s.told[:, None]
        who = np.flatnonzero(there.any(axis=1))
        score[who, there[who].argmax(axis=1)] = s.grade[who]
        s.told[who] = True

    def _closed(self, s: ModesState, number: int) -> ModesState:
        """A half window is over: take in the whole one that ends with it; and an hour, where it was its last."""
        half, was = self.window // 2, int(s.at[0])
        s = self._taken(s)
        held = np.full_like(s.held, np.nan)
        if number == was + 1:
            held[:, :half] = s.held[:, half:]
        there = np.isfinite(s.felt)
        s = s._replace(
            at=np.array([number], np.int64), held=held, felt=np.full_like(s.felt, np.nan),
            heat=s.heat + np.where(there, s.felt, 0.0).sum(axis=1), spells=s.spells + there.sum(axis=1),
        )  # fmt: skip
        each = round(HOUR / (half * self.slot))
        if was >= 0 and number // each != was // each:
            s = self._hours(s, was // each, number // each)
        return s

    def _taken(self, s: ModesState) -> ModesState:
        """Add the window's spectra of those that have said it."""
        there = np.isfinite(s.held)
        y = np.where(there, s.held, 0.0)
        y = np.where(there, y - (y.sum(axis=1) / np.maximum(there.sum(axis=1), 1))[:, None], 0.0)
        use = (there.mean(axis=1) >= WHOLE) & (y != 0.0).any(axis=1)
        if not use.any():
            return s
        f = np.fft.rfft(np.where(use[:, None], y, 0.0) * hann(self.window), axis=1)[:, self.bins]
        power = float((np.abs(f) ** 2).mean())
        cross = s.cross + f[:, None] * np.conj(f)[None, :] / power
        return s._replace(cross=cross, windows=s.windows + (use[:, None] & use[None, :]))

    def _hours(self, s: ModesState, was: int, now: int) -> ModesState:
        """Hours are over; of those after the first nothing is known. was, now: their numbers"""
        s = self._found(s)
        known = s.age[0] <= self.stale
        heat = np.where(s.spells > 0, s.heat / np.maximum(s.spells, 1), np.nan)
        x = np.r_[np.where(known, s.found, np.nan), heat]
        s = s._replace(heat=np.zeros_like(s.heat), spells=np.zeros_like(s.spells), age=s.age + (now - was))
        state, grade = ThermalState._make(s[OWN:]), np.full(self.modes, np.nan)
        for hour in range(max(was, now - DAY), now):
            z = x if hour == was else np.full_like(x, np.nan)
            end = np.array([round((hour + 1) * HOUR) * NS], np.int64)
            state, score = self.thermal.step(state, z[:, None], end)
            grade = np.where(np.isfinite(score[: self.modes, 0]), score[: self.modes, 0], grade)
        s = s._replace(**state._asdict())
        loss = np.maximum(-state.left[: self.modes, -1], 0.0) / (self.share * np.abs(state.origin[: self.modes]))
        grade = np.where(grade >= 1, loss, grade)  # sure, but small: no warning
        return self._graded(s, grade) if np.isfinite(grade).any() else s

    def _graded(self, s: ModesState, grade: Floats) -> ModesState:
        """A day has been judged: each member has the worst of the modes that move it. grade [modes]"""
        size = np.abs(s.shape)
        moved = (size >= HALF * size.max(axis=1, keepdims=True)) & np.isfinite(grade)[:, None]
        worst = np.where(moved, grade[:, None], -np.inf).max(axis=0)
        looked, new, told = np.array(self.looked, np.int64), s.grade.copy(), s.told.copy()
        new[looked] = np.where(moved.any(axis=0), worst, new[looked])
        told[looked[moved.any(axis=0)]] = False
        return s._replace(grade=new, told=told)

    def _found(self, s: ModesState) -> ModesState:
        """Look for the modes where there are windows enough; begin a new spectrum."""
        fresh = not np.isfinite(s.first).any()
        least = MANY if fresh else FEW
        known = np.ones(s.windows.shape[0], np.bool_) if fresh else (s.shape != 0).any(axis=0)
        use = np.flatnonzero(known & (np.diag(s.windows) >= least))
        if use.size < 2 or s.windows[np.ix_(use, use)].min() < least:
            return s
        cross = s.cross[np.ix_(use, use)] / s.windows[np.ix_(use, use)][:, :, None]
        value, vector = decomposed(cross)
        if fresh:
            s = self._begun(s, use, value, vector)
        s = self._followed(s, use, cross, value, vector)
        return s._replace(
            age=np.zeros_like(s.age),
            cross=np.zeros_like(s.cross), windows=np.zeros_like(s.windows),
        )  # fmt: skip

    def _begun(self, s: ModesState, use: Ints, value: Floats, vector: Complexes) -> ModesState:
        """The plainest peaks are the modes, in the order of their frequencies."""
        at, plain = peaks(value, self.hertz)
        at = np.sort(at[np.argsort(-plain, kind="stable")[: self.modes]])
        first, shape = np.full_like(s.first, np.nan), np.zeros_like(s.shape)
        first[: at.size] = self.hertz[at]
        shape[: at.size, use] = vector[at]
        return s._replace(first=first, shape=shape)

    def _followed(self, s: ModesState, use: Ints, cross: Complexes, value: Floats, vector: Complexes) -> ModesState:
        """Where the modes are now."""
        out, at = np.full_like(s.first, np.nan), peaks(value, self.hertz)[0]
        stood, double = s.stood.copy(), s.double.copy()
        size = (np.abs(s.shape[:, use]) ** 2).sum(axis=1)
        mine = np.flatnonzero(np.isfinite(s.first) & (size > 0) & (size >= HALF * (np.abs(s.shape) ** 2).sum(axis=1)))
        fit = np.array([self._fits(s, int(m), use, at, value, vector) for m in mine]).reshape(mine.size, at.size)
        for i, q in paired(fit, twins(s.first[mine], s.shape[np.ix_(mine, use)], self.reach), s.first[mine], self.hertz[at]):
            m, now = mine[i], self.hertz[at[q]]
            shape = s.shape[m, use]
            if (np.abs(np.log(now / stood[m]) / double[m] - 1) <= NEARLY).any():
                continue  # it may be another of its shape, which has been seen there
            stood[m] = now
            others = np.log(self.hertz[at] / now)[(mac(vector[at], shape) >= TWIN) & (value[at] >= FAINT * value[at[q]])]
            for side, some in enumerate((others[others < -TOGETHER], others[others > TOGETHER])):
                double[m, side] = some[np.abs(some).argmin()] if some.size else double[m, side]
            out[m] = placed(through(cross, shape), self.hertz, int(at[q]))
        return s._replace(found=out, stood=stood, double=double)

    def _fits(self, s: ModesState, m: int, use: Ints, at: Ints, value: Floats, vector: Complexes) -> Floats:
        """How well each peak is a mode: its MAC, less how far it lies from where it was first; -inf: it is not. [peaks] [1]"""
        like, far = mac(vector[at], s.shape[m, use]), np.abs(np.log(self.hertz[at] / s.first[m]))
        may = (np.abs(self.hertz[at] / s.first[m] - 1) <= self.reach) & (like >= self.alike)
        may &= value[at] >= FAINT * value[at][may].max(initial=0.0)
        return np.where(may, like - far * (1 + far), -np.inf)  # convex: what shape cannot tell apart keeps its order


default = Modes()
