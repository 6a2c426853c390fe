"""Contacts of a lift: what must warn, what must not, and a plain loop."""

import math
from typing import get_args

import numpy as np
import pytest

from detectors.contact import OPENS, Channel, Contact
from lifeline.model import Floats

NAN = math.nan


def lift(*phases: tuple[int, float, float, float, float]) -> Floats:
    """A story: seconds, the contact, door, passengers, mode. [1, 4, k]"""
    return np.repeat(np.array([p[1:] for p in phases]), [p[0] for p in phases], axis=0).T[None]


def scores(channel: Channel, x: Floats, scale: float = 10.0) -> Floats:
    d = Contact(channel=channel, scale=scale)
    said: Floats = d.step(d.init(x.shape[0]), x)[1]
    return said


def plain(d: Contact, x: Floats) -> list[float]:
    """The oracle: one lift, second by second. x [4, k]"""
    clock, ago, again, stood, out = 0.0, math.inf, False, False, []
    for contact, door, people, mode in x.T.tolist():
        if math.isnan(contact) or mode == 1 or (d.channel == "lock_circuit" and math.isnan(door)):
            out.append(NAN)
            continue
        shut = d.channel == "power" or not door > 0.5
        wrong = (contact < 0.5 and shut) if d.channel in OPENS else contact > 0.5
        clock = clock + 1 if wrong else 0.0
        value = clock
        if d.channel == "limit_switch":
            ago += 1
            if wrong and not stood:
                again = ago <= d.day if ago > d.apart else again
                ago = 0.0
            value = (3.0 if people > 0.5 else 2.0 if again else 1.0) if wrong else 0.0
        stood = wrong
        out.append(value / d.scale)
    return out


@pytest.mark.parametrize("channel", get_args(Channel))
def test_all_lifts_at_once_score_as_a_plain_loop_scores_each(channel: Channel) -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (30, 4, 80)).astype(float).repeat(rng.integers(2, 9), axis=2)
    x[:, 2] *= rng.random((30, x.shape[2])) < 0.2
    x[:, 3] *= rng.random((30, x.shape[2])) < 0.05
    x[rng.random(x.shape) < 0.02] = NAN
    d = Contact(channel=channel, scale=5.0, apart=8.0, day=20.0)
    np.testing.assert_array_equal(d.step(d.init(30), x)[1], [plain(d, lift) for lift in x])


def test_a_power_cut_is_told_after_ten_seconds_whatever_the_door() -> None:
    score = scores("power", lift((5, 1, 1, 0, 0), (12, 0, 1, 0, 0), (5, 1, 1, 0, 0)))[0]
    assert np.flatnonzero(score >= 1).tolist() == [14, 15, 16]


def test_an_open_door_opens_circuits_and_is_no_fault() -> None:
    circuits: tuple[Channel, ...] = ("safety_circuit", "lock_circuit")
    for channel in circuits:
        assert (scores(channel, lift((600, 0, 1, 1, 0))) == 0).all()
        assert scores(channel, lift((20, 0, 0, 1, 0)))[0, -1] == 2
    assert np.isnan(scores("lock_circuit", lift((20, 0, NAN, 0, 0)))).all()


def test_a_limit_switch_is_graver_when_met_again_within_a_day_and_gravest_with_somebody_inside() -> None:
    hour = (3600, 0.0, 0.0, 0.0, 0.0)
    met = (30, 1.0, 0.0, 0.0, 0.0)
    score = scores("limit_switch", lift(met, hour, met, *[hour] * 25, met, (5, 1.0, 0.0, 2.0, 0.0)), scale=1.0)[0]
    assert score[10] == 1
    assert score[30 + 3600 + 10] == 2
    assert score[-6] == 1  # more than a day later
    assert score[-1] == 3


def test_a_buffer_that_stays_compressed_is_told_after_three_seconds_and_a_knock_is_not() -> None:
    x = lift((10, 0, 0, 0, 0), (2, 1, 0, 0, 0), (10, 0, 0, 0, 0), (20, 1, 0, 0, 0))
    assert np.flatnonzero(scores("buffer_switch", x, scale=3.0)[0] >= 1)[0] == 24


def test_a_switch_that_chatters_is_met_once() -> None:
    chatter = [(2, float(i % 2), 0.0, 0.0, 0.0) for i in range(20)]
    assert scores("limit_switch", lift(*chatter), scale=1.0).max() == 1


def test_a_fitter_raises_nothing() -> None:
    for channel in get_args(Channel):
        wrong = 0.0 if channel in OPENS else 1.0
        assert np.isnan(scores(channel, lift((100, wrong, 0, 1, 1)))).all()
