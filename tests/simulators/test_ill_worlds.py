"""Every fault of a sensor and of the network, in every world there is."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from lifeline.catalog import Catalog
from lifeline.model import NS, Batch, Block, Ints
from simulators import sensors, transport
from simulators.faults import Swapped
from simulators.kinds import makers
from simulators.placing import placed
from simulators.world import Part, Run, Turn, turns

START = 1_795_420_800 * NS
PACKET = NS  # [ns] a waveform's message that straddles an onset is lost, moved or exchanged whole
SMALL: dict[str, dict[str, Any]] = {"bridge": {"waves": 1}, "elevator": {"lifts": 2}}


@dataclass
class Told:
    """A world's first slots, to be told again and again."""

    catalog: Catalog
    span: int  # [s]
    slots: list[list[Part]]

    def init(self, second: int) -> int:
        assert second == START // NS
        return 0

    def step(self, s: int, second: int) -> tuple[int, list[Part]]:
        assert second % self.span == 0
        return s + 1, self.slots[s]

    def truth(self) -> list[Any]:
        return []

    @property
    def end(self) -> int:
        """[s] after the start"""
        return self.span * len(self.slots)

    @property
    def fault(self) -> tuple[float, float]:
        """When a fault begins, how long it lasts. [s]"""
        return self.end // 5, self.end // 2


@cache
def told(world: str) -> Told:
    scene = makers()[world].scene(makers()[world].world(**SMALL.get(world, {})), [], START, 1)
    assert START // NS % scene.model.span == 0
    state, slots = scene.model.init(START // NS), list[list[Part]]()
    for i in range(max(2, -(-240 // scene.model.span))):
        state, parts = scene.model.step(state, START // NS + (i + 1) * scene.model.span)
        slots.append(parts)
    return Told(scene.catalog, scene.model.span, slots)


def lines(parts: list[Part]) -> Ints:
    """Every sample as (row, t, bits of the value, quality), sorted."""
    b = Batch.joined([p.flat() if isinstance(p, Block) else p for p in parts])
    x = np.stack([b.row.astype(np.int64), b.t, b.value.view(np.int64), b.quality.astype(np.int64)])
    return np.asarray(x[:, np.lexsort(x[::-1])])


def series(t: Told) -> list[int]:
    """One series of single readings that vary, and one waveform where there is one."""
    loose = Batch.joined([p for s in t.slots for p in s if isinstance(p, Batch)])
    many = np.bincount(loose.row, minlength=t.catalog.n)
    varied = [int(r) for r in np.argsort(-many, kind="stable") if many[r] > 2 and np.ptp(loose.value[loose.row == r]) > 0]
    waves = [int(p.row[0]) for s in t.slots for p in s if isinstance(p, Block)]
    return [*varied[:1], *waves[:1]]


def table(kind: str, t: Told, row: int) -> Any:
    """A table of that kind for one series."""
    c, (at, lasts) = t.catalog, t.fault
    unit, cls = str(c.unit[row]), sensors.KINDS[kind]
    amount = f"1 {unit}"
    other = next((str(k) for i, k in enumerate(c.key) if i != row and c.unit[i] == unit), str(c.key[row - 1]))
    texts = {"rate": f"{amount}/month", "low": f"-1e-6 {unit}", "high": f"1e-6 {unit}", "quality": "MAINT", "other": other}
    numbers = {"every": lasts / 3, "width": lasts / 6, "over": 3600.0, "offset": 28_800.0, "factor": 2.0, "gain": 2.0}
    given: dict[str, Any] = {"series": str(c.key[row]), "at": at, "lasts": lasts}
    for f in fields(cls):
        if f.name not in given and f.default is MISSING:
            given[f.name] = numbers.get(f.name, texts.get(f.name, amount)) if f.name not in texts else texts[f.name]
    extra: dict[str, dict[str, Any]] = {
        "noise": {"sigma": amount},
        "step": {"gain": 2.0, "offset": amount},
        "stuck": {"value": f"7.25 {unit}"},
    }
    return cls(**given, **extra.get(kind, {}))


def cases() -> Iterator[tuple[str, str]]:
    yield from ((world, kind) for world in makers() for kind in sensors.KINDS)


@pytest.mark.parametrize(("world", "kind"), list(cases()))
def test_a_sensor_at_fault_changes_its_own_readings_while_it_lasts_and_says_so(world: str, kind: str) -> None:
    t = told(world)
    for row in series(t):
        said = table(kind, t, row)
        try:
            faults = placed(said, t.catalog, START, 1)
        except ValueError:
            assert kind in {"swap", "cross"}  # nothing else there to exchange it with
            continue
        at, lasts = t.fault
        onset, end, last = START + round(at) * NS, START + round(at + lasts) * NS, START + t.end * NS
        whole, sound = (lines(Run(t, START, f).emit(START, last)) for f in (faults, []))
        again, edges = Run(t, START, faults), [START, onset + NS // 3, end - 7 * NS, last]
        np.testing.assert_array_equal(whole, lines([p for a, z in pairwise(edges) for p in again.emit(a, z)]))
        mine = [row, faults[0].other] if isinstance(faults[0], Swapped) else [row]
        same([x[:, ~np.isin(x[0], mine)] for x in (whole, sound)])
        same([x[:, np.isin(x[0], mine) & (x[1] < onset - PACKET)] for x in (whole, sound)])
        if ((sound[0] == row) & (sound[1] >= onset) & (sound[1] < end)).any() and kind != "cross":
            assert whole.shape != sound.shape or (whole != sound).any()
        for true in (x for f in faults for x in f.truth()):
            assert (true.hazard, true.sensor_fault, true.onset, true.end) == (None, kind, onset, end)
            assert true.asset in t.catalog.asset


def same(both: list[Ints]) -> None:
    np.testing.assert_array_equal(both[0], both[1])


NETWORK = {
    "loss": {"share": 0.5},
    "duplicate": {"share": 0.5},
    "reorder": {"within": 30.0},
    "store": {"every": 120.0},
    "outage": {},
    "skew": {"offset": 28_800.0},
}


@pytest.mark.parametrize(("world", "kind"), [(w, k) for w in makers() for k in transport.KINDS])
def test_the_network_moves_loses_and_repeats_messages_but_never_changes_what_was_measured(world: str, kind: str) -> None:
    t = told(world)
    parts = [p for s in t.slots for p in s]
    at, lasts = t.fault
    names = list(dict.fromkeys(map(str, t.catalog.device)))
    if kind == "swap":
        pair = _alike(t.catalog, names)
        if pair is None:
            pytest.skip("no two devices of this world are alike")
        fault = transport.Swap(*pair, at=at, lasts=lasts)
    else:
        fault = transport.KINDS[kind](device=names[0], at=at, lasts=lasts, **NETWORK[kind])
    sent, heard = list(turns(parts)), list(transport.carried(turns(parts), [fault], t.catalog, START, 1))
    assert [x.at for x in heard] == sorted({x.at for x in heard})
    one, two = (_readings(x) for x in (sent, heard))
    values = [sorted(x[2].tolist()) for x in (one, two)]
    if kind in {"reorder", "store", "outage"}:
        same([x[:, np.lexsort(x[::-1])] for x in (one, two)])
    elif kind in {"skew", "swap"}:
        assert values[0] == values[1]
    else:
        assert set(values[1]) <= set(values[0])
    for true in transport.truth([fault], t.catalog, START):
        assert (true.hazard, true.sensor_fault, true.onset) == (None, kind, START + round(at) * NS)


def _readings(told: list[Turn]) -> Ints:
    return np.concatenate([_bits([x.batch, *(b.flat() for b in x.blocks)]) for x in told], axis=1)


def _bits(parts: list[Batch]) -> Ints:
    b = Batch.joined(parts)
    return np.stack([b.row.astype(np.int64), b.t, b.value.view(np.int64)])


def _alike(c: Catalog, names: list[str]) -> tuple[str, str] | None:
    """Two devices with a channel in common."""
    channels = {d: {str(k).partition("/")[2] for k in c.key[c.device == d]} for d in names}
    return next(((a, b) for a in names for b in names if a != b and channels[a] & channels[b]), None)
