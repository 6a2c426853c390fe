"""The balance of a network, against weighted least squares over all past slots; and what it sees."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import balance
from detectors.balance import Balance
from lifeline.model import NS, Floats, Ints, Members

SLOT = 900.0
START = 1_795_420_800 * NS
VOLUME = 3e-3  # [m³/Pa] of free gas that the pipes take


def network(outlets: int = 3, *, low: bool = True) -> Members:
    """A gate, so many outlets, a gauge of the mains and one of an appliance."""
    n = outlets + 3
    quantity = np.array(["gas_flow"] * (outlets + 1) + ["gas_pressure"] * 2, object)
    name, none = np.array([f"d-{i}" for i in range(n)], object), np.full(n, np.nan)
    rated = np.r_[np.full(outlets + 1, np.nan), 0.3e6, 2e3 if low else 0.3e6]
    types = np.array(["gate", *["regulator"] * outlets, "", ""], object)
    return Members(name, quantity, name, name, none, none, rated, none, none, none, quantity == "gas_flow", SLOT, None, types)


def settled(**fields: float) -> Balance:
    made = Balance(learn=40, scale=0.03, **fields).settled(network())  # type: ignore[arg-type]  # floats are
    assert made is not None
    return made


def life(seed: int, k: int = 400, noise: float = 0.003, usual: float = 0.02) -> tuple[Floats, Ints]:
    """Flows of a day that rises and falls, a pressure that sags with them, meters that disagree. [6, k]"""
    rng = np.random.default_rng(seed)
    use = (1.2 + np.sin(2 * np.pi * np.arange(k) / 96)) * np.array([[0.02], [0.05], [0.03]])
    total = use.sum(axis=0)
    pressure = 0.3e6 - 1e5 * total
    packed = VOLUME * np.diff(pressure, prepend=pressure[0]) / SLOT
    gate = (total + packed) / (1 - usual) * (1 + noise * rng.standard_normal(k))
    low = 2e3 + 100 * rng.standard_normal(k)
    return np.vstack([gate, use, pressure, low]), START + np.arange(1, k + 1) * round(SLOT * NS)


def plain(d: Balance, x: Floats, t: Ints) -> list[float]:
    """The oracle: at each slot all slots that taught are fitted anew, each at its weight."""
    out, taught, rest = [], list[tuple[float, float]](), list[float]()
    keep, before, at, odd = 1 - SLOT / balance.WEEK, math.nan, 0, 0
    for j in range(x.shape[1]):
        gate, outs, pressure = x[0, j], x[1:4, j].sum(), x[4, j]
        rate = (pressure - before) / SLOT if t[j] - at == round(SLOT * NS) else math.nan
        before, at = pressure, int(t[j])
        if not math.isfinite(gate + outs + rate):
            out.append(math.nan)
            continue
        share, pack = (gate - outs) / gate, rate / gate
        weight = np.sqrt([keep ** (len(taught) - 1 - i) for i in range(len(taught))])
        a = np.array([[1.0, p] for _, p in taught]).reshape(-1, 2) * weight[:, None]
        b = np.array([s for s, _ in taught]) * weight
        left = share - np.array([1.0, pack]) @ np.linalg.lstsq(a, b, rcond=None)[0]
        weights = [keep ** (len(rest) - 1 - i) for i in range(len(rest))]
        spread = math.sqrt(np.dot(weights, rest) / sum(weights)) if rest else math.inf
        ready = len(taught) >= d.learn
        odd = odd + 1 if ready and abs(left) > balance.FAR * spread else 0
        if odd * SLOT > balance.WEEK:
            taught, rest, odd = [], [], 0
            out.append(math.nan)
            continue
        if not odd:
            if len(taught) > 2:
                rest.append(min(abs(left), balance.CLIP * spread) ** 2)
            taught.append((share, pack))
        out.append(max(min(left / d.scale, left / (balance.FAR * spread)), 0.0) if ready else math.nan)
    return out


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 99))
def test_the_recursion_scores_as_a_fit_over_all_past_slots(seed: int) -> None:
    x, t = life(seed, 260)
    x[0, 180:200] *= 1.1
    x[2, 120:123] = np.nan
    keep = np.r_[:100, 104:260]
    x, t = x[:, keep], t[keep]
    d = settled()
    score = d.step(d.init(6), x, t)[1]
    np.testing.assert_allclose(score[0], plain(d, x, t), rtol=1e-4, atol=1e-6)
    assert np.isnan(score[1:]).all()


def test_gas_that_is_packed_or_metered_apart_is_not_lost_and_a_hole_is() -> None:
    for seed in range(5):
        x, t = life(seed, 600)
        d = settled()
        s, score = d.step(d.init(6), x, t)
        assert np.nanmax(score) < 0.7
        x[0] *= 1.08
        x[1:4, 0] = np.nan  # the first slot has no slot before it in either telling
        assert np.nanmin(d.step(s, x, t + 600 * round(SLOT * NS))[1][0, 1:20]) > 2


def test_poor_meters_are_not_believed_beyond_what_they_can_tell() -> None:
    x, t = life(3, 600, noise=0.1)
    d = settled()
    s, score = d.step(d.init(6), x, t)
    assert np.nanmax(score) < 1.2
    x[0] *= 1.08
    assert np.nanmedian(d.step(s, x, t + 600 * round(SLOT * NS))[1][0, 1:30]) < 1


def test_a_loss_that_lasts_for_a_week_is_learned_anew() -> None:
    x, t = life(4, 1700)
    x[0, 500:] *= 1.1
    d = settled()
    score = d.step(d.init(6), x, t)[1][0]
    week = round(balance.WEEK / SLOT)
    assert (score[500 : 500 + week] > 2).all()
    assert np.isnan(score[500 + week : 500 + week + d.learn]).all()
    assert np.nanmax(score[500 + week + d.learn + 1 :]) < 1


def test_without_a_gate_or_without_an_outlet_there_is_nothing_to_balance() -> None:
    m = network()
    types = m.asset_type
    assert types is not None
    types[0] = ""
    assert Balance().settled(m) is None
    types[:4] = "gate"
    assert Balance().settled(m) is None


@pytest.mark.parametrize(("low", "packs"), [(True, [4]), (False, [4, 5])])
def test_only_pressures_of_mains_tell_of_the_pack(low: bool, packs: list[int]) -> None:  # noqa: FBT001  a parameter
    made = Balance().settled(network(low=low))
    assert made is not None
    assert np.flatnonzero(made.packs).tolist() == packs
