"""How many readings a second each detector judges, graded, on one core, and what it remembers of a series."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from detectors import rules
from detectors.rulebook import named
from lifeline.model import NS, Detector, Floats, Ints, Limits, Members, Rule, is_panel, is_timed
from pipeline import stepping
from pipeline.stepping import Standing

SERIES: Final = 100_000
TICKS: Final = 60  # [1] samples of each series in a call
ASSETS: Final = 10_000  # of joint detectors: each has some ten channels
MEMBERS: Final = 10  # of a panel
KIN: Final = 500  # [1] series that live through the warm-up; the others start as their copies
KIN_ASSETS: Final = 100
PIECE: Final = 500  # [1] samples of a step of the warm-up
BEYOND: Final = 2000  # [1] samples lived through after it
STEP: Final = 60.0  # [s]
CALM: Final = {"climb": 1e-9, "manhole": 1e-9, "still": 1e-9}  # times the noise: wells in which there is no gas
WARMING: Final = 20.0  # times the seconds of a measurement, at most, that a panel's warm-up may take
START: Final = 1_795_420_800 * NS
HIGH: Final = Limits(np.array([1.0, np.inf, np.inf, np.inf]), np.array([0.8, np.inf, np.inf, np.inf]), np.ones(4, np.int64))

Figures = dict[str, Any]


def figures(series: int = SERIES, seconds: float = 1.0) -> list[Figures]:
    """One line for each detector, the slowest of single series first; joint ones and panels after them."""
    single, others = [], []
    for name, d in named().items():
        if sys.stderr.isatty():
            sys.stderr.write(f"measuring {name} ...\n")
        if is_panel(d):
            others += [f for f in [_panel(name, seconds)] if f]
        elif d.channels:
            others.append(_joint(name, max(series // (SERIES // ASSETS), KIN_ASSETS), seconds))
        else:
            single.append(_single(name, max(series, KIN), seconds))
    return [*sorted(single, key=lambda f: float(f["readings_per_s"])), *others]


def ruled(name: str) -> Rule:
    """A rule of a detector with its default parameters; bounds that quiet noise does not reach."""
    plain = next(r for r in rules() if r.id == "water.pressure.low")
    detector: Detector = named()[name]
    if hasattr(detector, "scale"):
        detector = replace(detector, origin=0.0, scale=1e9)  # type: ignore[type-var]  # detectors are dataclasses
    return replace(plain, detector=detector, limits=HIGH)


def quiet(rng: np.random.Generator, n: int, k: int) -> Floats:
    """Noise about a level, in column order as the watch lays it out. [n, k]"""
    return rng.normal(3.5e5, 2e3, (k, n)).T


def _single(name: str, series: int, seconds: float) -> Figures:
    """100,000 warm series, by 60 samples a call and by one."""
    rng, rule = np.random.default_rng(1), ruled(name)
    standing = lived(rule, rng, series)
    scale = 1e-6 if rule.detector.judges == "age" else CALM.get(name, 1.0)  # a series that is heard
    blocks, out = [scale * quiet(rng, series, TICKS) for _ in range(2)], np.empty((TICKS, series)).T
    every = round(getattr(rule.detector, "every", STEP) * NS)
    at = START + every * np.arange(TICKS)
    t: Ints | None = np.broadcast_to(at, (series, TICKS)) if is_timed(rule.detector) else None

    def judge(x: Floats) -> None:
        k = x.shape[1]
        stepping.advance(rule, standing, slice(0, series), x, out[:, :k], None if t is None else t[:, :k])

    many = rate(judge, blocks, seconds) * series * TICKS
    one = rate(lambda x: judge(x[:, :1]), blocks, seconds) * series
    return {
        "detector": name, "kind": "series", "readings_per_s": many, "one_tick_readings_per_s": one,
        "bytes_per_series": held(standing) / series,
    }  # fmt: skip


def lived(rule: Rule, rng: np.random.Generator, series: int) -> Standing:
    """The memory of series that are past their warm-up and have learned on."""
    kin, left, at = stepping.standing(rule, KIN), rule.detector.warmup + BEYOND, START - 10**9 * NS
    while left > 0:
        k = min(left, PIECE)
        t = np.broadcast_to(at + round(STEP * NS) * np.arange(k), (KIN, k))
        stepping.advance(rule, kin, slice(0, KIN), quiet(rng, KIN, k), t=t)
        left, at = left - k, at + k * round(STEP * NS)
    which = np.arange(series) % KIN
    stored = {name: a[which] for name, a in stepping.arrays(kin).items()}
    return stepping.restore(rule, stored)


def _joint(name: str, assets: int, seconds: float) -> Figures:
    """States that last some seconds, of many lifts."""
    rng, rule = np.random.default_rng(1), ruled(name)
    standing, c = stepping.standing(rule, assets), len(rule.detector.channels)
    blocks = [rng.integers(0, 2, (assets, c, TICKS // 10)).astype(float).repeat(10, axis=2) for _ in range(2)]

    def judge(x: Floats) -> None:
        stepping.advance(rule, standing, slice(0, assets), x)

    many = rate(judge, blocks, seconds) * assets * TICKS
    one = rate(lambda x: judge(x[..., :1]), blocks, seconds) * assets
    return {
        "detector": name, "kind": f"{c} channels", "readings_per_s": many * c, "one_tick_readings_per_s": one * c,
        "bytes_per_series": held(standing) / assets / c,
    }  # fmt: skip


def _panel(name: str, seconds: float) -> Figures | None:
    """One panel past its warm-up, or as far towards it as the time allows; slots of its members."""
    rng, rule = np.random.default_rng(1), ruled(name)
    found = settled(rule.detector)
    if found is None:
        return None
    made, m = found
    rule = replace(rule, detector=made)
    standing, step = stepping.standing(rule, m.n), round(m.slot * NS)
    at = [START // step * step]

    def judge(x: Floats) -> None:
        t = at[0] + step * np.arange(1, x.shape[1] + 1)
        at[0] = int(t[-1])
        stepping.together(rule, standing, x, t, m.judged)

    blocks = [quiet(rng, m.n, TICKS) for _ in range(2)]
    began = time.process_time()
    for _ in range(made.warmup // TICKS + 1):
        judge(quiet(rng, m.n, TICKS))
        if time.process_time() - began > WARMING * seconds:
            break
    many = rate(judge, blocks, seconds) * m.n * TICKS
    one = rate(lambda x: judge(x[:, :1]), blocks, seconds) * m.n
    return {
        "detector": name, "kind": f"panel of {m.n}", "readings_per_s": many, "one_tick_readings_per_s": one,
        "bytes_per_series": held(standing) / m.n,
    }  # fmt: skip


def settled(d: Detector) -> tuple[Detector, Members] | None:
    """A panel's detector for ten series, the last of which only help where it wants such; None: it needs a map."""
    assert is_panel(d)
    over, beside = d.over or ("strain",), d.beside
    quantity = [over[i % len(over)] for i in range(MEMBERS)]
    if beside:
        quantity[-len(beside) :] = beside
    flat, none, slot = np.ones(MEMBERS), np.full(MEMBERS, np.nan), d.slot or STEP
    device = np.array([f"device-{i}" for i in range(MEMBERS)], object)
    m = Members(
        np.array([f"{name}/{q}" for name, q in zip(device, quantity, strict=True)], object), np.array(quantity, object), device,
        np.array(["asset"] * MEMBERS, object), 31.8 + 1e-4 * np.arange(float(MEMBERS)), flat, none, -1e9 * flat, 1e9 * flat,
        slot / 100 * flat, np.array([q in over for q in quantity]), slot, None,
        np.array(["gate", *[""] * (MEMBERS - 1)], object),
    )  # fmt: skip
    made = d.settled(m)
    return None if made is None else (made, m)


def held(standing: Standing) -> int:
    """[byte] of the memory of a rule: the detector's, and the level."""
    return sum(a.nbytes for a in stepping.arrays(standing).values())


def rate(work: Callable[[Floats], None], blocks: list[Floats], seconds: float) -> float:
    """Calls a second of processor time, which others who use the machine take least from: the best of five."""
    found = []
    for _ in range(5):
        n, start = 0, time.process_time()
        while (spent := time.process_time() - start) < seconds / 5 or n == 0:
            work(blocks[n % len(blocks)])
            n += 1
        found.append(n / max(spent, 1e-9))
    return max(found)


def lines(found: list[Figures]) -> Iterator[str]:
    """As a table in Markdown."""
    yield "| detector | judges | million readings/s, 60 a call | one a call | bytes of a series |"
    yield "|---|---|---|---|---|"
    for f in found:
        many, one = (f[k] / 1e6 for k in ("readings_per_s", "one_tick_readings_per_s"))
        yield f"| `{f['detector']}` | {f['kind']} | {many:.3g} | {one:.3g} | {f['bytes_per_series']:.0f} |"
