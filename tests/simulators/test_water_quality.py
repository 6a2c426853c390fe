"""Waves in mains and what water carries, against closed forms."""

from typing import Any

import numpy as np
import pytest

from lifeline.model import NS, Batch, Block, Level
from lifeline.units import WATER_HEAD, G
from simulators.water.hammer import Line, Slam, Wave, celerity
from simulators.water.quality import CLEAR, Flush, Intrusion, Mixing, pulse
from simulators.water.scene import WaterWorld, maker
from simulators.water.tables import MEAN, Base, loaded
from simulators.world import Run, Scene

START = 1_795_420_800 * NS
HOUR = 3600.0
CUBIC = 1 / HOUR
NET = loaded(Base("Net3"))
SIZE = 150 * CUBIC / float(NET.demand.sum())
PIPE = Line(length=1000.0, bore=0.3, wall=0.008, material="steel", flow=0.5 * np.pi * 0.3**2 / 4, loggers=3)


def mixing(*nodes: str, decay: float = 0.5 / 86_400) -> Mixing:
    return Mixing(NET, SIZE, np.array([NET.node.index(n) for n in nodes]), decay, 0.8e-3)


def scene(faults: tuple[Any, ...], **world: Any) -> Scene:
    return maker.scene(WaterWorld(demand=150 * CUBIC, every=60.0, gauges=2, **world), faults, START, 1)


@pytest.mark.parametrize(
    ("bore", "wall", "material", "told"), [(0.3, 0.008, "steel", 1240), (0.4, 0.009, "iron", 1170), (0.2, 0.0182, "PE", 280)]
)
def test_waves_run_as_fast_as_the_pipe_is_stiff(bore: float, wall: float, material: str, told: float) -> None:
    """Steel and iron about 1,100 to 1,300 m/s, PE about 300 m/s."""
    assert celerity(bore, wall, material) == pytest.approx(told, rel=0.05)


def test_a_stopped_flow_raises_the_head_as_joukowsky_says_and_the_wave_comes_back_in_its_time() -> None:
    wave = Wave(PIPE, Slam(over=0.0))
    t, h = wave.solved
    a, rise = PIPE.celerity, PIPE.celerity * PIPE.speed / G
    there = h[(t > 0.05) & (t < 0.2), 0]  # beside the valve
    np.testing.assert_allclose(there, rise, rtol=0.02)
    for x, head in zip(PIPE.places, wave.heads(t), strict=True):
        came = t[np.argmax(head > rise / 2)]
        assert came == pytest.approx((PIPE.length - x) / a, abs=2 * t[1])
        gone = t[np.argmax((t > came) & (head < rise / 2))]
        assert gone - came == pytest.approx(2 * x / a, abs=3 * t[1])
    turned = h[(t > 2 * PIPE.length / a + 0.1) & (t < 4 * PIPE.length / a - 0.1), 0]
    np.testing.assert_allclose(turned, -rise, rtol=0.06)


def test_a_valve_shut_slower_than_the_wave_returns_raises_less() -> None:
    slow = 4 * 2 * PIPE.length / PIPE.celerity
    one, two = (np.abs(Wave(PIPE, Slam(over=s)).solved[1]).max() for s in (0.1, slow))
    assert 0.2 < two / one < 0.4


def test_a_pump_that_trips_pulls_where_a_valve_pushes() -> None:
    since = np.arange(0.0, 2.0, 0.01)
    valve, pump = (Wave(PIPE, Slam(cause=c, over=0.0)).heads(since) for c in ("valve", "pump"))
    np.testing.assert_allclose(pump[0], -valve[-1])


def test_loggers_tell_the_surge_ten_times_a_second_and_its_truth_says_how_grave() -> None:
    line = Line(flow=180 * CUBIC)
    s = scene((Slam(at=HOUR, over=0.4),), line=(line,))
    (true,) = s.model.truth()
    assert (true.asset, true.hazard, true.min_level) == ("line-1", "water_transient", Level.ORANGE)
    parts = Run(s.model, START).emit(START, START + round(1.1 * HOUR) * NS)
    blocks = [p for p in parts if isinstance(p, Block)]
    t = np.concatenate([b.t[0] + b.step * np.arange(b.value.shape[1]) for b in blocks])
    x = np.concatenate([b.value[-1] for b in blocks]) / WATER_HEAD
    np.testing.assert_array_equal(np.diff(t), NS // 10)
    rise = line.celerity * line.speed / G
    assert x.max() == pytest.approx(rise, abs=3)
    assert np.abs(x[t < true.onset]).max() < 1.5
    assert abs((t[np.argmax(x > 5)] - true.detectable) / NS) < 0.5
    assert s.catalog.quantity[blocks[0].row[0]] == "water_transient"


def test_chlorine_decays_with_the_time_on_its_way() -> None:
    """Node 61 feeds 123 through one pipe: C = C0·exp(-k·t)."""
    m = mixing("61", "123")
    at = next(k for k, (i, j) in enumerate(NET.ends) if {NET.node[i], NET.node[j]} == {"61", "123"})
    volume = np.pi / 4 * (NET.bore[at] * SIZE ** (1 / 2.63)) ** 2 * NET.length[at]
    on_the_way = volume / abs(NET.solved.flow[MEAN, at] * SIZE)
    one, two = m.chlorine
    assert two / one == pytest.approx(np.exp(-0.5 / 86_400 * on_the_way), rel=1e-6)
    assert one <= 0.8e-3
    np.testing.assert_allclose(mixing(*NET.node[:50], decay=0.0).chlorine[1:], 0.8e-3, rtol=1e-6)


def test_what_passes_a_node_and_what_does_not_is_all_there_is() -> None:
    m = mixing("117", "157", "159", "61")
    share, late = m.passed(NET.node.index("123"))
    np.testing.assert_allclose(share, [1, 1, 1, 0], atol=1e-6)
    assert late[1] < late[2] < 3 * HOUR
    assert np.isinf(late[3])


def test_foul_water_moves_down_the_stations_and_is_gone_after_it_has_passed() -> None:
    fault = Intrusion(at=HOUR, lasts=HOUR, node="121", share=0.1, turbidity=80.0, consumes=15e-3)
    s = scene((fault,), stations=("119", "157", "159"))
    true = s.model.truth()
    assert [x.asset for x in true] == ["station-1", "station-2", "station-3"]
    assert {x.place for x in true} == {"121"}
    assert (np.diff([x.detectable for x in true]) > 0).all()
    assert {x.min_level for x in true} == {Level.RED}
    b = Batch.joined([p for p in Run(s.model, START).emit(START, START + 8 * 3600 * NS) if isinstance(p, Batch)])
    for k, x in enumerate(true):
        turbid, chlorine = (b.row == s.catalog.row[f"probe-{k + 1}/{c}"] for c in ("turbidity", "chlorine"))
        before, after = b.t < x.onset, b.t >= x.end + 600 * NS
        assert b.value[turbid & (before | after)].max() < 0.4
        assert b.value[chlorine & (before | after)].min() > 0.5e-3
        during = (b.t > x.detectable + 1200 * NS) & (b.t < x.detectable + 2400 * NS)
        clean = CLEAR + 0.1 * (80 - CLEAR)
        np.testing.assert_allclose(b.value[turbid & during], clean, rtol=0.12)
        assert b.value[chlorine & during].max() < 0.05e-3


def test_a_pipe_in_which_water_turns_gives_up_its_sediment_to_those_beyond() -> None:
    flush = Flush(at=HOUR, node="115", pipe="112", flow=40 * CUBIC)
    s = scene((flush,), stations=("111", "61"))
    assert {x.asset for x in s.model.truth() if x.hazard == "water_quality"} == {"station-1"}
    assert mixing("111").lifted(flush) > 0.2
    assert mixing("111").lifted(Flush(node="115", pipe="60", flow=1 * CUBIC)) == 0


def test_what_is_sent_comes_later_and_for_as_long() -> None:
    t = np.arange(0.0, 20_000.0, 10.0)
    come = pulse(t, np.array([1000.0, np.inf]), 3000.0)
    assert come[0].sum() * 10 == pytest.approx(3000, rel=0.01)
    assert t[np.argmax(come[0] > 0)] == pytest.approx(1000, abs=20)
    assert not come[1].any()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Slam(line=2), r"fault\[0\].line"),
        (Intrusion(node="x"), r"fault\[0\].node"),
        (Flush(node="115", pipe="x"), r"fault\[0\].pipe"),
    ],
)
def test_what_is_not_there_is_refused(fault: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scene((fault,), line=(PIPE,))
