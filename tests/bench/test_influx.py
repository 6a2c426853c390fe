import pytest

from bench import influx
from tests.influxes import wanted


@pytest.mark.network
def test_lines_are_made_packed_and_written() -> None:
    wanted("influxd")
    wanted("nginx")
    found = influx.run(points=2000, written=2000, most=500)
    assert found["stored_points"] == found["sent_points"] == 2000
    assert min(found[k] for k in found if k.endswith("_per_s")) > 0
    assert found["gzip_9_bytes_per_point"] <= found["gzip_1_bytes_per_point"] < found["bytes_per_point"]
