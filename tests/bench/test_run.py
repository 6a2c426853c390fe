"""The benchmarks run, on sizes too small to measure anything, and give the figures they promise."""

import shutil

import pytest

from bench import chain, receive, restart
from bench.mosquitto import PLACES

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(not shutil.which("mosquitto", path=PLACES), reason="mosquitto is not installed"),
]


def test_a_backlog_is_drained_by_receive_and_by_mosquitto_sub() -> None:
    found = receive.run(messages=3000, repetitions=2)
    assert {"messages_per_s", "mosquitto_sub_messages_per_s", "ratio"} <= found.keys()
    assert found["ratio"] == pytest.approx(found["messages_per_s"] / found["mosquitto_sub_messages_per_s"], rel=0.01)
    assert found["messages_per_s"] > 0


def test_a_small_town_is_carried_and_its_alarms_reach_the_phone() -> None:
    found = chain.run(slow=300, channels=20, seconds=12.0, alarms=2.0, steps=0)
    assert found["held"], found
    assert found["dead_lettered"] == 0
    assert found["alarms_pushed"] == found["alarms"] > 0
    assert 0 < found["p50_s"] <= found["p99_s"] <= found["worst_s"]
    assert found["max_held_readings_per_s"] == found["readings_per_s"] == pytest.approx(2005, rel=0.2)
    assert found["lag_s_end"] <= chain.HELD


def test_a_small_city_catches_up_after_its_watch_was_killed() -> None:
    found = restart.run(slow=200, minutes=1)
    assert found["seconds"] > 0
    assert found["messages_caught_up"] >= 100
    assert found["base_bytes"] > 0


def test_a_load_is_held_only_while_the_lag_does_not_grow() -> None:
    steady, growing = chain.Course(10.0), chain.Course(10.0)
    steady.lag, growing.lag = [0.1, 0.2] * 6, [0.2 * i for i in range(12)]
    assert steady.held
    assert not growing.held
