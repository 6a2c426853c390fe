"""The greatest score of each series in each block of time, under each rule: what a rule's bound must lie above to be quiet."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from lifeline.model import Floats, Ints, Rows, Rule

NOTHING: Final = -np.inf


class Maxima:
    """Hears every score (pipeline/engine.py, Heed). What counts is what a hold lets through: the least of as many in a row."""

    def __init__(self, n: int, rules: Iterable[Rule], block: int, since: int = 0) -> None:
        """n: series of the catalog. block [ns]. since: what is earlier only teaches. [ns]"""
        self._n, self._block, self._since = n, block, since
        self._hold = {r.id: hold(r) for r in rules}
        self._past: dict[str, Floats] = {}  # [n, hold - 1] the last scores that were judged
        self.most: dict[str, dict[int, Floats]] = {r: {} for r in self._hold}  # rule -> block -> [n]; NOTHING: not judged

    def __call__(self, rule: Rule, rows: Rows, t: Ints, score: Floats) -> None:
        if rule.id not in self._hold:
            return
        least = self._held(rule.id, rows, score) if self._hold[rule.id] > 1 else score
        least = np.where(np.isnan(least) | (t < self._since), NOTHING, least)
        block = t // self._block
        for b in np.unique(block).tolist():
            mine = np.where(block == b, least, NOTHING).max(axis=1, initial=NOTHING)
            most = self.most[rule.id].setdefault(b, np.full(self._n, NOTHING))
            np.maximum.at(most, rows, mine)

    def _held(self, rule: str, rows: Rows, score: Floats) -> Floats:
        """The least of the last `hold` judged scores; one that is not judged changes nothing. [m, k]"""
        past = self._past.setdefault(rule, np.full((self._n, self._hold[rule] - 1), NOTHING))
        mine, out = past[rows], np.full(score.shape, np.nan)
        for j in range(score.shape[1]):
            there = ~np.isnan(score[:, j])
            seen = np.column_stack([mine, score[:, j]])
            out[there, j] = seen[there].min(axis=1)
            mine = np.where(there[:, None], seen[:, 1:], mine)
        past[rows] = mine
        return out

    def values(self, rule: str, begin: int, end: int) -> Floats:
        """All maxima of blocks that begin in [begin, end) [ns]. [v] [1]"""
        found = [m[m > NOTHING] for b, m in sorted(self.most[rule].items()) if begin <= b * self._block < end]
        return np.concatenate(found) if found else np.empty(0)


def hold(rule: Rule) -> int:
    """Samples in a row that the mildest level asks for. [1]"""
    return int(rule.limits.hold[np.isfinite(rule.limits.enter)][0])
