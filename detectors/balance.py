"""Balance: gas that goes in and neither comes out nor stays in the pipes."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal, NamedTuple, Self

import numpy as np

from lifeline.model import NS, Bools, Floats, Ints, Members

GATES: Final = "gate"  # type of the assets at which gas comes in
PACKED: Final = 10_000.0  # [Pa] gauge: what is rated lower holds no gas worth speaking of
WEEK: Final = 7 * 86_400.0  # [s] over which the usual is forgotten
FAR: Final = 4.0  # [1] spreads beyond which a slot teaches nothing
CLIP: Final = 3.0  # [1] spreads by which it moves the spread at most


class BalanceState(NamedTuple):
    moments: Floats  # [2, 3] weighted sums of (1, pack)(1, pack, share) over past slots
    spread: Floats  # [2] [1] weighted sum of squares of what was left over; weights
    before: Floats  # [1] [Pa] mean pressure of the slot before; NaN: not known
    at: Ints  # [1] [ns] its end; 0: none
    seen: Ints  # [1] [1] slots that taught
    odd: Ints  # [1] [1] slots in a row that did not


@dataclass(frozen=True)
class Balance:
    """Share of the gas that enters a network and is missing: in - out - what the line pack takes, over what is usual.

    Line pack: d/dt of Σ V p / (Z R T). With flows as free volume, share = (Σ in - Σ out) / Σ in is fitted as
    usual + V (dp/dt) / Σ in by weighted least squares over past slots, forgotten within a week: meters that disagree by some
    hundredths, and a volume that nobody has written down, are learned (recursive least squares: R. L. Plackett, Biometrika 37,
    1950, 149-157). The score is what is left over, in units of `scale`, and at most a quarter of it in its own spreads, so
    that poor meters speak softly. A slot beyond four spreads teaches nothing; after a week of them all is learned anew. How
    often it is wrong: docs/detectors/balance.md.
    """

    over: tuple[str, ...] = ("gas_flow",)
    beside: tuple[str, ...] = ("gas_pressure",)
    within: Literal["asset", "district", "domain"] = "domain"
    slot: float = 900.0  # [s]
    learn: int = 192  # [slot] that only teach
    origin: float = 0.0  # [1] share where the score begins
    scale: float = 1.0  # [1] from `origin` to the bound
    enters: Bools = field(default_factory=lambda: np.empty(0, np.bool_))  # [n] meters at gates; found by `settled`
    leaves: Bools = field(default_factory=lambda: np.empty(0, np.bool_))  # [n] the others
    packs: Bools = field(default_factory=lambda: np.empty(0, np.bool_))  # [n] pressures of what is packed

    panel: ClassVar[Literal[True]] = True
    dimension: ClassVar[str] = "ratio"  # what the bounds of its rules are
    judges: ClassVar[Literal["value"]] = "value"
    channels: ClassVar[tuple[str, ...]] = ()

    @property
    def warmup(self) -> int:
        """Slots that only teach. [1]"""
        return self.learn

    def settled(self, m: Members) -> Self | None:
        """None where no meter is known to stand at a gate, or none elsewhere."""
        gate = np.zeros(m.n, np.bool_) if m.asset_type is None else m.asset_type == GATES
        made = replace(
            self, enters=m.judged & gate, leaves=m.judged & ~gate, packs=~m.judged & (np.nan_to_num(m.rated) >= PACKED)
        )
        return made if made.enters.any() and made.leaves.any() else None

    def init(self, n: int) -> BalanceState:  # noqa: ARG002  one memory for all members
        """State of a network of which nothing is known."""
        count = np.zeros(1, np.int64)
        return BalanceState(np.zeros((2, 3)), np.zeros(2), np.full(1, np.nan), count, count.copy(), count.copy())

    def step(self, s: BalanceState, x: Floats, t: Ints) -> tuple[BalanceState, Floats]:
        """x [n, k] slots [m³/s] and [Pa], t [k] -> new state, score [n, k] [1] of the meters at gates."""
        s = BalanceState._make(a.copy() for a in s)
        score = np.full(x.shape, np.nan)
        for j in range(x.shape[1]):
            now = self._slot(s, x[:, j], int(t[j]))
            if now is not None:
                said = self._judge(s, *now)
                score[:, j] = np.where(self.enters & np.isfinite(x[:, j]), said, np.nan)
        return s, score

    def _slot(self, s: BalanceState, x: Floats, t: int) -> tuple[float, float] | None:
        """Share that is missing and change of the pack over what enters; None where something is not known. x [n]"""
        pressure = float(np.mean(x[self.packs])) if self.packs.any() else 0.0
        passed = (t - int(s.at[0])) / NS
        rate = (pressure - float(s.before[0])) / self.slot if abs(passed - self.slot) < 1 else np.nan
        s.before[0], s.at[0] = pressure, t
        entered, left = float(x[self.enters].sum()), float(x[self.leaves].sum())
        if not (np.isfinite(rate) and np.isfinite(entered + left) and entered > 0):
            return None
        return (entered - left) / entered, rate / entered

    def _judge(self, s: BalanceState, share: float, pack: float) -> float:
        """Score of one slot; what it teaches. [1]"""
        row = np.array([1.0, pack])
        ready = s.seen[0] >= self.learn
        left = share - row @ np.linalg.lstsq(s.moments[:, :2], s.moments[:, 2], rcond=None)[0]
        spread = float(np.sqrt(s.spread[0] / s.spread[1])) if s.spread[1] > 0 else np.inf
        odd = ready and abs(left) > FAR * spread
        s.odd[0] = s.odd[0] + 1 if odd else 0
        if s.odd[0] * self.slot > WEEK:
            for a in (s.moments, s.spread, s.seen, s.odd):
                a[...] = 0
            return float("nan")
        if not odd:
            self._teach(s, row, share, float(left) if s.seen[0] > len(row) else None, spread)
        return float(max(min((left - self.origin) / self.scale, left / (FAR * spread)), 0.0)) if ready else float("nan")

    def _teach(self, s: BalanceState, row: Floats, share: float, left: float | None, spread: float) -> None:
        """One slot for the usual, and, where something was foretold, for its spread."""
        keep = 1 - self.slot / WEEK
        s.moments[...] = keep * s.moments + np.outer(row, [*row, share])
        if left is not None:
            s.spread[...] = keep * s.spread + [min(abs(left), CLIP * spread) ** 2, 1.0]
        s.seen[0] += 1


default = Balance()
