"""A full disk: nothing is acknowledged, the reason is said, and when there is room everything goes on by itself."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.receiver import Receiver
from ingest.mqtt import Publisher
from lifeline.clock import now
from lifeline.model import NS
from pipeline.letters import books
from pipeline.supervise import Crew
from tests import town
from tests.brokers import Mosquitto, until
from tests.crash.tending import tended
from tests.stage import Stage

pytestmark = [pytest.mark.crash, pytest.mark.network, pytest.mark.timeout(200)]
WELLS = 20


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """12 MB of their own."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], capture_output=True, check=False)
        if mounted.returncode:
            if os.environ.get("CI") == "true":
                pytest.fail(f"a small disk cannot be mounted: {mounted.stderr!r}")
            pytest.skip(f"a small disk cannot be mounted: {mounted.stderr!r}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=False)


def fill(disk: Path, left: int) -> Path:
    """Something else takes the disk, all but so many bytes."""
    ballast = disk / "ballast"
    free = os.statvfs(disk)
    with ballast.open("wb") as f:
        f.write(bytes(max(0, free.f_bavail * free.f_frsize - left)))
    return ballast


@pytest.mark.parametrize(("min_free", "left"), [("1MB", 600_000), ("0MB", 0)], ids=["kept free", "to the last byte"])
def test_a_full_disk_stops_the_flow_and_loses_nothing(tmp_path: Path, small_disk: Path, min_free: str, left: int) -> None:
    with Mosquitto(tmp_path / "broker") as broker, Receiver() as phone:
        stage = Stage(tmp_path, broker.port, phone.url, wells=WELLS, data=str(small_disk / "data"), min_free=min_free)
        with Crew(stage.path, tmp_path / "log") as crew, tended(crew), Publisher(stage.config.broker, "devices") as devices:
            until(stage.ready, "the city is not ready", 60)
            said = 0

            def say(seconds: int) -> None:
                nonlocal said
                for _ in range(seconds * WELLS):
                    well, second = said % WELLS, said // WELLS
                    topic, payload = town.methane(well, start + second * NS, 6.0 if second > 20 and well == 7 else 0.1)
                    devices.publish(topic.decode(), payload)
                    said += 1
                devices.drain()

            start = now() - 3600 * NS
            say(10)
            until(stage.idle, "the city does not come to rest", 60)
            head = stage.status("receive")["head"]
            ballast = fill(small_disk, left)
            speaking = threading.Thread(target=say, args=(40,))
            speaking.start()
            speaking.join(60)
            until(lambda: stage.answer("receive", "/-/ready")[0] == 503, "receive says that it is ready")
            until(lambda: b"journal:" in stage.answer("receive", "/-/ready")[1], "the reason is not said")
            time.sleep(3)
            stuck = stage.status("receive")["head"]
            if min_free != "0MB":
                assert stuck == head  # nothing was taken, so nothing acknowledged
            assert stuck < said
            time.sleep(2)
            assert stage.status("receive")["head"] == stuck
            ballast.unlink()
            until(lambda: stage.status("receive").get("head", 0) >= said, "it does not go on by itself", 90)
            until(stage.idle, "the city does not come to rest", 60)
            until(stage.ready, "the city is not ready again", 60)
            assert {w["asset"] for w in stage.warnings() if w["kind"] == "hazard"} == {"well-7"}
        ledger = books(stage.data)["ledger"]
        assert ledger["stored"] == said == 50 * WELLS
        assert ledger["acknowledged"] == ledger["stored"] + ledger["duplicate"]
        assert {got.json["lifeline"]["asset"] for got in phone.got} == {"well-7"}
