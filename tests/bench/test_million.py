"""The benchmark of a whole city in one process, on a size too small to measure anything."""

from bench import million


def test_a_small_city_is_judged_minute_by_minute() -> None:
    found = million.run(series=600, minutes=2, warm=3)
    assert found["series"] == 600
    assert 0 < found["minute_s"] <= found["worst_minute_s"]
    assert found["changes"] == 0
    assert found["peak_bytes"] > 0
