"""The picture of a warning's evidence."""

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from alerts import plot
from alerts.notice import Story
from lifeline.model import NS, Change, Level
from tests.alerts.story import told

Say = Callable[..., Change]


@pytest.fixture(scope="module", autouse=True)
def warm() -> Iterator[None]:
    """The first picture of a process takes longer than any notice waits for it; on a busy machine the others do too."""
    plot.warm()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plot, "PATIENCE", 60.0)
        yield


def seen(story: Story, **more: Any) -> Story:
    g = story.grounds[0]
    return msgspec.structs.replace(
        story, grounds=[msgspec.structs.replace(g, evidence=msgspec.structs.replace(g.evidence, **more))]
    )


def pixels(png: bytes) -> Any:
    from matplotlib import image

    return image.imread(io.BytesIO(png))


def drawn(story: Story) -> bytes | None:
    return asyncio.run(plot.png(story))


def has(png: bytes, colour: str) -> bool:
    wanted = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return bool((np.abs(pixels(png)[..., :3] - wanted).max(axis=-1) < 0.08).any())


def test_readings_and_the_limits_near_them_are_drawn(say: Say) -> None:
    png = drawn(told(say(Level.ORANGE)))
    assert png is not None
    assert has(png, plot.COLOURS["ORANGE"])
    assert has(png, plot.COLOURS["YELLOW"])
    far = drawn(seen(told(say(Level.ORANGE)), bounds={"RED": 500.0}))
    assert far is not None
    assert not has(far, plot.COLOURS["RED"])


def test_a_version_is_drawn_once(say: Say) -> None:
    story = told(say(Level.ORANGE), asset="once")
    before = plot._drawn.cache_info().misses
    first, second = drawn(story), drawn(story)
    assert first is second
    assert plot._drawn.cache_info().misses == before + 1


@pytest.mark.parametrize("value", [[], [None], [1.0], [None, 1.0]])
def test_where_less_than_two_readings_are_known_nothing_is_drawn(say: Say, value: list[float | None]) -> None:
    story = told(say(Level.ORANGE))
    assert drawn(seen(story, value=value, t=[NS * i for i in range(len(value))])) is None
    assert drawn(msgspec.structs.replace(story, grounds=[])) is None


def test_limits_in_another_unit_are_brought_to_that_of_the_readings_or_left_out(say: Say) -> None:
    g = told(say(Level.ORANGE)).grounds[0]

    def of(**more: Any) -> dict[str, float]:
        return plot.bounds(msgspec.structs.replace(g, evidence=msgspec.structs.replace(g.evidence, **more)))

    assert of(unit="kPa", bounds={"RED": 2.0}, bounds_unit="MPa") == {"RED": pytest.approx(2000.0)}
    assert of(unit="kPa", bounds={"RED": 2.0}, bounds_unit="1") == {}
    assert of(unit="kPa", bounds={"RED": 2.0}, bounds_unit="%VOL") == {}


def test_odd_names_and_gaps_do_no_harm(say: Say) -> None:
    odd = told(say(Level.RED, device="$$"), asset="$W_1$\r\n\x00")
    t = odd.grounds[0].t
    gaps = seen(odd, t=[t, t + NS, t + 2 * NS], value=[1.0, None, 3.0])
    assert drawn(gaps) is not None


def test_a_plot_that_breaks_or_takes_long_costs_no_notice(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_body: bytes) -> bytes:
        raise RuntimeError("no fonts")

    def slow(_body: bytes) -> bytes:
        time.sleep(0.3)
        return b""

    monkeypatch.setattr(plot, "_png", broken)
    assert drawn(told(say(Level.RED))) is None
    monkeypatch.setattr(plot, "PATIENCE", 0.05)
    monkeypatch.setattr(plot, "_png", slow)
    assert drawn(told(say(Level.RED))) is None


def test_chinese_is_written_only_where_a_font_has_it(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    story = told(say(Level.ORANGE))
    g = story.grounds[0]
    assert "ORANGE" in plot._title(story, g, zh=False)
    assert plot._title(story, g, zh=False).isascii()
    assert "橙色" in plot._title(story, g, zh=True)
    plot.chinese.cache_clear()
    from matplotlib import font_manager

    monkeypatch.setattr(font_manager, "get_font_names", lambda: ["DejaVu Sans", "Noto Sans CJK SC"])
    assert plot.chinese() == "Noto Sans CJK SC"
    plot.chinese.cache_clear()
