"""The step from readings to changes of level: pure of clocks, sockets and files; the same journal gives the same changes.

Readings that are newer than the last of their series are judged and stored; others are late: stored (unless they are known
already) and counted, never judged. Readings of a clock that runs ahead are judged among themselves and stored like late ones:
they must not make the right ones late. What was under way for long raises nothing to RED, since what it tells of may be over.
The clock that moves is the data's, and never runs ahead of the time of receipt.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np

from ingest.quality import Gate, QualityState, combined
from lifeline.catalog import Catalog
from lifeline.model import JUDGED, NS, Batch, Block, Bools, Change, Codes, Floats, Ints, Level, Quality, Rows, Rule, is_timed
from pipeline.evidence import Recent
from pipeline.grid import Piece
from pipeline.groups import Group, Joint, groups, joints
from pipeline.panels import Maps, Panel, panels
from pipeline.slots import Slots
from pipeline.stepping import advance, alike, together
from pipeline.telling import Before, Teller, likely

GAP: Final = 60  # [step] a longer gap sends the series back to its warm-up
MESSAGES: Final = 3  # messages that a device which rests between them may miss, likewise
TICK: Final = NS  # [ns] silence is looked for once a second of the data's clock

OLD: Final = 3600 * NS  # [ns] a reading that comes later than this, beside what its device rests between messages, is old

ALONE: Final = 60 * NS  # [ns] of receipt with no time of a device's own, after which the time of receipt moves the clock
REPORT: Final = 5 * NS  # [ns] silence is counted in steps of at least this: fast channels report in blocks

_JUDGED = np.isin(np.arange(256), JUDGED)


Heed = Callable[[Rule, Rows, Ints, Floats], None]  # what a rule said: rows [m], t [m, k] [ns], score [m, k] [1]


class Part(NamedTuple):
    """Readings with the number of the message each came from."""

    batch: Batch
    number: Ints  # [n]
    at: int = 0  # [ns] receipt; needed where the device's clock may be ahead; 0: not known, and nothing is old


class Blocks(NamedTuple):
    """Waveforms with the number of the message each came from."""

    block: Block
    number: Ints  # [m]
    at: int = 0  # [ns] receipt, as of a part

    def take(self, which: Bools) -> "Blocks":
        """Some of the waveforms. which [m]"""
        b = self.block
        return Blocks(Block(b.row[which], b.t[which], b.step, b.value[which], b.quality[which]), self.number[which], self.at)

    def scattered(self) -> Part:
        """The same readings one by one."""
        return Part(self.block.flat(), np.repeat(self.number, self.block.value.shape[1]), self.at)


@dataclass
class Outcome:
    """What came of a piece of the journal."""

    fresh: list[Batch] = field(default_factory=list)  # to be stored
    used: list[Ints] = field(default_factory=list)  # numbers of the messages these came from
    late: list[Part] = field(default_factory=list)  # to be stored unless known
    changes: list[Change] = field(default_factory=list)


class Engine:
    """All memory of the watch, and the step that moves it."""

    def __init__(
        self, catalog: Catalog, rules: list[Rule], gate: Gate, city: str, heed: Heed | None = None, maps: Maps | None = None
    ) -> None:
        n = catalog.n
        self._heed = heed
        self.catalog, self.gate = catalog, gate
        self.last: Ints = np.zeros(n, np.int64)  # [n] [ns] newest reading; 0: none yet
        self.ahead: Ints = np.zeros(n, np.int64)  # [n] [ns] newest reading of a clock that ran ahead
        self.told: Ints = np.zeros(n, np.int64)  # [n] [ns] as of when the newest was judged: its time, at most its receipt
        self.heard: Ints = np.zeros(n, np.int64)  # [n] [ns] newest reading fit to be judged: what is unfit is silence too
        self.recent = Recent.empty(n)
        self.quality: QualityState = gate.init(n)
        self.groups: list[Group] = groups(catalog, rules)
        self.joints: list[Joint] = joints(catalog, rules)
        self.slots, self.panels = panels(catalog, rules, maps or {})
        self.clock = 0  # [ns] the data's clock
        self.born = 0  # [ns] where it began: a series never heard is silent since then
        self.alone = 0  # [ns] receipt of the first message since the last with a time of its device's own; 0: that was the last
        self._group = np.zeros(n, np.int32)  # [n] group of each row
        self._place = np.zeros(n, np.int64)  # [n] position in it
        for g, group in enumerate(self.groups):
            self._group[group.rows] = g
            self._place[group.rows] = np.arange(group.rows.size)
        self.pace: Ints = np.maximum(np.rint(catalog.step * NS), 1).astype(np.int64)  # [n] [ns]
        pause = np.rint(np.nan_to_num(catalog.report) * NS).astype(np.int64)
        self.pause: Ints = np.maximum(pause, self.pace)  # [n] [ns] between messages
        self._sampled = ~np.isfinite(catalog.hold)  # [n]
        self._tell = Teller(catalog, city, self.recent)

    def _standings(self, key: str, rule: str) -> list[tuple[Codes, int]]:
        """The levels of the rule's lines, and where the series stands in them; none where nobody judges it."""
        row = self.catalog.row.get(key, -1)
        if row < 0:
            return []
        group = self.groups[self._group[row]]
        found = [(x, int(self._place[row])) for x in (*group.values, *group.ages)]
        found += [(x, a) for j in self.joints for a in np.flatnonzero(j.grid.rows[:, 0] == row).tolist() for x in j.lines]
        found += [(x, a) for p in self.panels for a in np.flatnonzero(p.rows == row).tolist() for x in p.lines]
        return [(x.standing.grade.level, at) for x, at in found if x.rule.id == rule]

    def level(self, key: str, rule: str) -> Level:
        """Where a series stands under a rule; NORMAL also where nobody judges it."""
        return Level(max((int(levels[at]) for levels, at in self._standings(key, rule)), default=0))

    def calm(self) -> None:
        """Put every level back to NORMAL; what the detectors have learned stays."""
        lines = [x for g in self.groups for x in (*g.values, *g.ages)]
        lines += [x for j in self.joints for x in j.lines] + [x for p in self.panels for x in p.lines]
        for line in lines:
            for a in line.standing.grade:
                a[...] = 0

    def take_over(self, key: str, rule: str, level: Level) -> None:
        """Let a series stand where it is known to have stood, when the memory that said so is lost."""
        for levels, at in self._standings(key, rule):
            levels[at] = level

    def moved(self, own: int, newest: int, at: int) -> int:
        """Where what was received at `at` moves the clock [ns]; 0: nowhere.

        To the newest time of the devices' own, or, when none has come for long, to that of receipt.
        """
        if own:
            self.alone = 0
            return min(own, at)
        self.alone = self.alone or (at if newest else 0)
        return min(newest, at) if at - self.alone > ALONE else 0

    def step(self, parts: list[Part], blocks: list[Blocks], clock: int) -> Outcome:
        """Judge what came; `clock` [ns] is the newest time in it, not beyond its receipt."""
        out = Outcome()
        if blocks:
            parts, blocks = self._loose(parts, blocks)
        if parts:
            self._scattered(parts, out)
        for b in merged(blocks):
            self._waveforms(b, out)
        if clock // TICK > self.clock // TICK:
            self.clock = clock
            self.born = self.born or clock
            self._tick(out)
        self.clock = max(self.clock, clock)
        return out

    def _loose(self, parts: list[Part], blocks: list[Blocks]) -> tuple[list[Part], list[Blocks]]:
        """Waveforms of series that are sent both ways, or whose clock is ahead, become scattered, in order of arrival."""
        mixed = np.zeros(self.catalog.n, np.bool_)
        for p in parts:
            mixed[p.batch.row] = True
        for b in blocks:
            mixed[b.block.row[(b.block.quality == Quality.CLOCK).any(axis=1)]] = True
        whole = []
        for b in blocks:
            which = mixed[b.block.row]
            if which.any():
                parts = [*parts, b.take(which).scattered()]
            if not which.all():
                whole.append(b.take(~which) if which.any() else b)
        return parts, whole

    def _scattered(self, parts: list[Part], out: Outcome) -> None:
        """The k-th reading of every series that has one makes a column; unbroken runs go in whole."""
        batch, number = Batch.joined([p.batch for p in parts]), np.concatenate([p.number for p in parts])
        receipt = np.repeat(np.array([p.at for p in parts], np.int64), [p.batch.n for p in parts])
        if (np.diff(number) < 0).any():
            arrival = np.argsort(number, kind="stable")
            batch, number, receipt = batch.take(arrival), number[arrival], receipt[arrival]
        order, rank = self._runs(batch, number, receipt, *turns(batch.row), out)
        for r in range(int(rank.max(initial=-1)) + 1):
            at = order[rank == r]
            self._column(batch.take(at), number[at], receipt[at], out)

    def _old(self, row: Rows, t: Ints, receipt: "Ints | int") -> Bools:
        """Which readings at t [m] or [m, k] of rows [m] had been under way for long when they came."""
        if int(np.max(receipt, initial=0)) - int(t.min(initial=np.iinfo(np.int64).max)) <= OLD:
            return np.zeros(t.shape, np.bool_)
        return np.asarray(receipt - t > OLD + self.pause[row].reshape(-1, *[1] * (t.ndim - 1)))

    def _column(self, b: Batch, number: Ints, receipt: Ints, out: Outcome) -> None:
        """One reading of each of some series. A clock that is ahead hides no hazard: its readings are judged, in order of
        their own, as of their receipt, and stored like late ones; right ones after them are not late.
        """
        ahead = b.quality == Quality.CLOCK
        new = b.t > np.where(ahead, self.ahead[b.row], self.last[b.row])
        late, right = ~new | ahead, new & ~ahead
        if late.any():
            out.late.append(Part(b.take(late), number[late]))
        if not new.any():
            return
        self.last[b.row[right]], self.ahead[b.row[new & ahead]] = b.t[right], b.t[new & ahead]
        told = np.maximum(np.where(ahead, np.minimum(b.t, receipt), b.t), self.told[b.row] + 1)[new]
        c = b.take(new)
        old = self._old(c.row, told, receipt[new])[:, None]
        codes = self._arrive(c.row, c.t[:, None], told[:, None], c.value[:, None], c.quality[:, None], old, out)[:, 0]
        good = right[new]
        self._keep(Part(Batch(c.row, c.t, c.value, codes).take(good), number[right]), out)

    def _runs(self, batch: Batch, number: Ints, receipt: Ints, order: Ints, rank: Ints, out: Outcome) -> tuple[Ints, Ints]:
        """Judge the series whose readings are all new and in order, in runs without a gap; the order and rank of the others."""
        if not rank.any():
            return order, rank
        row, t = batch.row[order], batch.t[order]
        first = rank == 0
        gap = np.diff(t, prepend=0)
        new = t > np.maximum(self.last[row], self.told[row])
        fine = np.where(first, new, gap > 0) & (batch.quality[order] == Quality.GOOD)
        starts = np.flatnonzero(first)
        count = np.diff(np.r_[starts, row.size])
        whole = np.logical_and.reduceat(fine, starts) & (count > 1)
        mine = np.repeat(whole, count)
        for run in runs(order[mine], rank[mine], (first | self._apart(row, gap))[mine]):
            rows, t = batch.row[run[:, 0]], batch.t[run]
            old = self._old(rows, t, receipt[run])
            self._whole(rows, t, batch.value[run], batch.quality[run], number[run].ravel(), old, out)
        return order[~mine], rank[~mine]

    def _apart(self, row: Rows, gap: Ints) -> Bools:
        """Between which readings something is missing. row, gap [n] [ns] since the reading before"""
        step, pause = self.pace[row], self.pause[row]
        lost = np.where(pause > step, gap > MESSAGES * pause, gap + step // 2 >= 2 * step)
        return np.asarray(self._sampled[row] & lost)

    def _waveforms(self, b: Blocks, out: Outcome) -> None:
        """A block that begins after the last reading goes in whole; one that overlaps it, sample by sample."""
        new = b.block.t > np.maximum(self.last[b.block.row], self.told[b.block.row])
        if not new.all():
            self._scattered([b.take(~new).scattered()], out)
            b = b.take(new)
        block, number = b.block, b.number
        if block.row.size:
            t = block.t[:, None] + block.step * np.arange(block.value.shape[1])
            self._whole(block.row, t, block.value, block.quality, number, self._old(block.row, t, b.at), out)

    def _whole(self, row: Rows, t: Ints, x: Floats, said: Codes, number: Ints, old: Bools, out: Outcome) -> None:
        """New readings t, x, old [m, k] of series [m]; number [m] or [m * k]."""
        self.last[row] = t[:, -1]
        codes = self._arrive(row, t, t, x, said, old, out)
        flat = Batch(np.repeat(row, t.shape[1]), t.ravel(), x.ravel(), codes.ravel())
        if (t[:, 0] > self.ahead[row]).all():
            out.fresh.append(flat)
            out.used.append(number)
        else:
            self._keep(Part(flat, np.repeat(number, flat.n // number.size)), out)

    def _keep(self, part: Part, out: Outcome) -> None:
        """Store what was judged; where a clock that ran ahead may have said the same instant before, look first."""
        sure = part.batch.t > self.ahead[part.batch.row]
        if not sure.all():
            out.late.append(Part(part.batch.take(~sure), part.number[~sure]))
        out.fresh.append(part.batch.take(sure))
        out.used.append(part.number[sure])

    def _arrive(self, rows: Rows, t: Ints, told: Ints, x: Floats, said: Codes, old: Bools, out: Outcome) -> Codes:
        """New readings t, x, old [m, k] of unique rows [m], as of `told` [m, k], with the codec's quality: judge, remember."""
        kept, codes = self.gate.step(QualityState._make(a[rows] for a in self.quality), rows, t, x)
        for whole, new in zip(self.quality, kept, strict=True):
            whole[rows] = new
        codes = combined(said, codes)
        good = np.where(_JUDGED[codes], x, np.nan)
        before = self.told[rows]
        self.told[rows] = told[:, -1]
        fit = np.where(np.isfinite(good), told, 0).max(axis=1)
        self.heard[rows] = np.maximum(self.heard[rows], fit)
        grids = [j.grid for j in self.joints] + self.slots
        if heard := [g for g in grids if (g.place[rows] >= 0).any()]:
            flat = Batch(np.repeat(rows, t.shape[1]), told.ravel(), good.ravel(), codes.ravel())
            for each in heard:
                each.add(flat)
        member = self._group[rows]
        for g in np.unique(member).tolist():
            mine = slice(None) if (member == g).all() else np.flatnonzero(member == g)
            self._judge(self.groups[g], rows[mine], told[mine], x[mine], good[mine], before[mine], old[mine], out)
        self.recent.add(rows, told, x)
        return codes

    def _judge(
        self, group: Group, rows: Rows, t: Ints, x: Floats, good: Floats, before: Ints, old: Bools, out: Outcome
    ) -> None:
        if not group.values:
            return
        place = self._place[rows]
        if not group.held:
            self._bridge(group, place, before, np.where(before > 0, t[:, 0] - before, 0), rows)
        index, late = group.index(place), old if old.any() else None
        for line in group.values:
            seen = x if line.rule.raw else good
            if line.rule.relative:
                seen = seen / group.rated[place, None]
            steps = advance(line.rule, line.standing, index, seen, t=t, old=late)
            if self._heed is not None:
                self._heed(line.rule, rows, t, steps.score)
            if steps.which.size:
                kept = x.astype(np.float32).astype(np.float64)  # as the last readings are kept
                out.changes += self._tell.series(line.rule, rows, t, steps, kept, likely(line, index))

    def _bridge(self, group: Group, place: Ints, before: Ints, gap: Ints, rows: Rows) -> None:
        """Missing samples are NaN to the detectors, up to a limit; after a longer gap a series starts anew.

        before: the last reading [m] [ns]; gap: since then, 0: this is the first [m] [ns]
        A device that rests between its messages misses nothing meanwhile.
        """
        step, pause = self.pace[rows], self.pause[rows]
        missing = (gap + step // 2) // step - 1
        rests = pause > step
        missing[rests] = np.where(gap > MESSAGES * pause, GAP + 1, 0)[rests]
        if not (missing > 0).any():
            return
        lost = place[missing > GAP]
        for line in group.values:
            if lost.size and not is_timed(line.rule.detector):
                line.forget(lost)
        missing[missing > GAP] = 0
        for j in range(int(missing.max())):
            some = missing > j
            gone, t = place[some], (before[some] + (j + 1) * step[some])[:, None]
            for line in group.values:
                advance(line.rule, line.standing, gone, np.full((gone.size, 1), np.nan), t=t)

    def _tick(self, out: Outcome) -> None:
        """Look for silence, and close the slots of the grids."""
        for group in self.groups:
            if group.ages:
                since = np.maximum(self.heard[group.rows], self.born)
                age = (self.clock - since) / np.maximum(self.pause[group.rows], REPORT)
                for line in group.ages:
                    steps = advance(line.rule, line.standing, slice(None), age[:, None])
                    if steps.which.size:
                        out.changes += self._tell.series(
                            line.rule, group.rows, np.full((group.rows.size, 1), self.clock), steps
                        )
        for joint in self.joints:
            self._close(joint, out)
        for slots in self.slots:
            ends, x = slots.close(self.clock)
            if ends.size:
                self._closed(slots, ends, x, out)

    def _closed(self, slots: Slots, ends: Ints, x: Floats, out: Outcome) -> None:
        """Judge slots that have closed in every panel on them: ends [k] [ns], x [m, k]."""
        kept: dict[bytes, Ints] = {}  # panels that were told of the same slots keep one array of their ends
        for panel in self.panels:
            if panel.slots is slots:
                mine, before = x[panel.index], panel.t.tobytes()
                self._together(panel, ends, mine, out)
                if before not in kept:
                    kept[before] = np.r_[panel.t, ends][-panel.t.size :].copy()
                panel.keep(kept[before], mine)

    def _together(self, panel: Panel, ends: Ints, x: Floats, out: Outcome) -> None:
        """Judge slots that have closed: ends [k] [ns], x [n, k]."""
        stepped: dict[int, tuple[Any, Any]] = {}  # of lines whose memory others share, before and after
        for line in panel.lines:
            seen = x / self.catalog.rated[panel.rows, None] if line.rule.relative else x
            before = line.standing.memory
            assert line.judged is not None
            steps = together(line.rule, line.standing, seen, ends, line.judged)
            stepped[id(line)] = before, line.standing.memory
            if line.lead is not None and alike((shared := stepped[id(line.lead)])[0], before):
                line.standing.memory = shared[1]
            if self._heed is not None:
                self._heed(line.rule, panel.rows, np.broadcast_to(ends, steps.score.shape), steps.score)
            if steps.which.size:
                out.changes += self._tell.panel(line.rule, panel, ends, x, steps, Before(before, seen))

    def _close(self, joint: Joint, out: Outcome) -> None:
        """Judge the slots of a grid that the clock has passed, piece by piece."""
        _, pieces = joint.grid.pieces(self.clock)
        said: list[list[tuple[int, Change]]] = [[] for _ in joint.lines]
        for piece in pieces:
            relative = self._relative(joint, piece) if any(line.rule.relative for line in joint.lines) else piece.x
            for line, told in zip(joint.lines, said, strict=True):
                seen = relative if line.rule.relative else piece.x
                steps = advance(line.rule, line.standing, piece.assets, seen)
                rows = joint.grid.rows[piece.assets, 0]
                if self._heed is not None:
                    self._heed(line.rule, rows, np.broadcast_to(piece.ends, steps.score.shape), steps.score)
                if steps.which.size:
                    found = self._tell.assets(line.rule, joint.grid.channels, rows, piece.ends, seen, steps)
                    told.extend(zip((piece.first + steps.tick).tolist(), found, strict=True))
        for each in said:
            out.changes += [change for _, change in sorted(each, key=itemgetter(0))]

    def _relative(self, joint: Joint, piece: Piece) -> Floats:
        """Channels that have a rated value are divided by it."""
        rows = joint.grid.rows[piece.assets]
        rated = np.where(rows >= 0, self.catalog.rated[rows], np.nan)
        by = np.isfinite(rated)
        seen = piece.x.copy(order="K")
        for c in np.flatnonzero(by.any(axis=0)).tolist():
            seen[:, c] /= np.where(by[:, c], rated[:, c], 1.0)[:, None]
        return seen


def turns(rows: Rows) -> tuple[Ints, Ints]:
    """rows [n] in order of arrival -> their order by row, and the how manieth of its row each is in that order."""
    order = np.argsort(rows, kind="stable")
    row = rows[order]
    starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
    return order, np.arange(row.size) - np.repeat(starts, np.diff(np.r_[starts, row.size]))


def runs(order: Ints, rank: Ints, apart: Bools) -> Iterator[Ints]:
    """Readings by row and rank, cut where they are `apart` [n] -> pieces [m, k] of `order`, those of a row one after another.

    Rows go side by side for as long as the shortest of them lasts: there are no more ticks than the longest has.
    """
    begin = np.flatnonzero(apart)
    length = np.diff(np.r_[begin, order.size])
    nth = turns(np.cumsum(rank[begin] == 0))[1]  # of its row; rows stand one after another
    for r in range(int(nth.max(initial=-1)) + 1):
        start, long, done = begin[nth == r], length[nth == r], 0
        for end in np.unique(long).tolist():
            yield order[start[long >= end][:, None] + np.arange(done, end)]
            done = end


def merged(blocks: list[Blocks]) -> list[Blocks]:
    """The same waveforms in as few blocks as may be: the blocks of a row stay in their order, and a row is once in a block."""
    if len(blocks) < 2:
        return blocks
    order, rank = turns(np.concatenate([b.block.row for b in blocks]))
    nth = np.empty_like(rank)
    nth[order] = rank
    alike: dict[tuple[int, int, int], list[Blocks]] = {}
    for b, turn in zip(blocks, np.split(nth, np.cumsum([b.number.size for b in blocks])[:-1]), strict=True):
        for r in np.unique(turn).tolist():
            part = b if (turn == r).all() else b.take(turn == r)
            alike.setdefault((r, part.block.value.shape[1], part.block.step), []).append(part)
    return [joined(alike[shape]) for shape in sorted(alike, key=lambda shape: shape[0])]


def joined(blocks: list[Blocks]) -> Blocks:
    """One block of several of the same length and step."""
    if len(blocks) == 1:
        return blocks[0]
    row, t, value, quality = (np.concatenate([getattr(b.block, f) for b in blocks]) for f in ("row", "t", "value", "quality"))
    number, at = np.concatenate([b.number for b in blocks]), min(b.at for b in blocks)
    return Blocks(Block(row, t, blocks[0].block.step, value, quality), number, at)
