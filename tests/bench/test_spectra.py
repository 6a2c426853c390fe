from bench import spectra


def test_an_hour_of_a_bridge_is_told_whole() -> None:
    found = spectra.run(sensors=3, rate=20)
    assert found["samples"] == 3 * 20 * 3600
    assert found["spectrum_lines"] == 6 * 3 * 45  # bands below 10 Hz
    assert found["frequency_lines"] > 0
    assert 0 < found["cpu_s_of_reading"] <= found["cpu_s"]
