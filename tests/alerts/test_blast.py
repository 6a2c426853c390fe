"""How far a blast reaches, against a table of the domain computed by others."""

import pytest

from alerts.blast import BEST, blast, pressure, scaled


@pytest.mark.parametrize(("volume", "hurt", "glass"), [(3.0, 20.0, 68.0), (10.0, 30.0, 102.0), (100.0, 64.0, 220.0)])
def test_spaces_reach_as_far_as_the_table_says(volume: float, hurt: float, glass: float) -> None:
    found = blast(BEST, volume)
    assert found.hurt == pytest.approx(hurt, rel=0.03)
    assert found.glass == pytest.approx(glass, rel=0.03)


@pytest.mark.parametrize("kilopascal", [2.0, 7.0, 20.0, 50.0])
def test_a_scaled_distance_has_the_pressure_it_was_asked_for(kilopascal: float) -> None:
    assert pressure(scaled(kilopascal)) == pytest.approx(kilopascal)


def test_more_gas_than_the_air_can_burn_is_no_worse_and_too_little_is_what_it_may_become() -> None:
    assert blast(0.2) == blast(BEST)
    assert blast(0.01) == blast(0.05)
    assert blast(0.05).glass < blast(0.08).glass < blast(BEST).glass
