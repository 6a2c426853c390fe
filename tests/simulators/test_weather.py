import numpy as np
import pytest

from simulators.weather import AIR, MM_PER_HOUR, Weather, hours

DAY = 86_400.0
YEAR = 1_767_196_800.0 + np.arange(0.0, 365 * DAY, 900.0)  # [s] of 2026, from New Year's midnight at +08:00


def test_the_air_is_warmest_on_a_summer_afternoon_and_coldest_on_a_winter_morning() -> None:
    air = Weather(1).air(YEAR) - 273.15
    warm, cold = int(air.argmax()), int(air.argmin())
    assert 180 < warm / 96 < 215
    assert hours(YEAR[[warm]])[0] == pytest.approx(15, abs=0.5)
    assert cold / 96 < 45 or cold / 96 > 350
    assert hours(YEAR[[cold]])[0] == pytest.approx(3, abs=0.5)
    assert (air.max(), air.mean(), air.min()) == pytest.approx((34, 15, -4), abs=0.3)


def test_the_ground_swings_less_than_the_air_and_later() -> None:
    w = Weather(1)
    assert np.ptp(w.ground(YEAR)) < 0.6 * np.ptp(w.air(YEAR))
    assert w.ground(YEAR).argmax() > w.air(YEAR).argmax()
    assert w.ground(YEAR).mean() - 273.15 == pytest.approx(18, abs=0.1)


def test_wind_is_stronger_in_the_afternoon_and_gusts_pass_places_in_turn() -> None:
    w, t = Weather(1), YEAR[:96]
    wind = w.wind(t, np.array([0.0, 1.0]))
    assert wind.shape == (2, 96)
    assert wind[:, (hours(t) > 13) & (hours(t) < 17)].mean() > 1.3 * wind[:, hours(t) < 6].mean()
    assert (wind > 0).all()
    assert np.abs(wind[0] - wind[1]).max() > 0.3


def test_air_pressure_wanders_as_weather_does_and_falls_as_its_slope_says() -> None:
    w = Weather(1)
    p = w.pressure(YEAR)
    assert p.mean() == pytest.approx(AIR, abs=60)
    assert 300 < p.std() < 500
    np.testing.assert_allclose(w.falling(YEAR), -np.gradient(p, 900.0), atol=2e-3)
    assert np.abs(w.falling(YEAR)).max() * 3600 < 250  # [Pa/h]


def test_a_quarter_of_the_days_is_wet_and_no_shower_is_without_end() -> None:
    rain = Weather(1).rain(YEAR).reshape(365, 96)
    assert (rain.max(axis=1) > 0).mean() == pytest.approx(0.25, abs=0.06)
    assert (rain > 0).sum(axis=1).max() <= 4 * 4 + 1
    assert 5 < rain.max() / MM_PER_HOUR < 100
    assert (rain[:, [0, -1]] == 0).mean() > 0.9


def test_weather_depends_on_its_seed_and_on_nothing_else() -> None:
    one, same, other = Weather(1), Weather(1), Weather(2)
    np.testing.assert_array_equal(one.rain(YEAR), same.rain(YEAR))
    np.testing.assert_array_equal(one.rain(YEAR)[777:999], one.rain(YEAR[777:999]))
    assert (one.rain(YEAR) != other.rain(YEAR)).any()
    assert (one.pressure(YEAR) != other.pressure(YEAR)).any()
