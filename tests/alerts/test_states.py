"""How the states of an asset are said to people."""

import pytest

from alerts.states import CHINESE, said
from lifeline.units import WORDS


@pytest.mark.parametrize(
    ("note", "zh", "en"),
    [
        (
            "door 1, door_zone 0, passengers 3, speed 1.5001, mode 0",
            "轿门：开，门区：外，乘客数：3，轿厢速度：1.5 m/s，运行模式：自动",
            "car door: open, door zone: out, passengers: 3, car speed: 1.5 m/s, service mode: auto",
        ),
        ("safety_circuit 0, door nan", "安全回路：断开，轿门：未知", "safety circuit: open, car door: unknown"),
        ("door_zone 0.5", "门区：0.5", "door zone: 0.5"),
        ("the series has left the catalog, or the rule the rules",) * 3,
        ("", "", ""),
        ("door open, speed 1",) * 3,
    ],
)
def test_states_are_told_in_words_with_units(note: str, zh: str, en: str) -> None:
    assert said(note) == (zh, en)


def test_every_word_of_a_device_has_a_chinese_one() -> None:
    assert {word for code in WORDS.values() for word in code} - {"opening", "closing"} == set(CHINESE)
