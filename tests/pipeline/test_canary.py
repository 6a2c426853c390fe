"""The canary from the broker to a push: judged like a reading, counted in the books, missed when receive is gone."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.receiver import Receiver
from ingest.admit import Terms
from ingest.decode import decode
from lifeline import canary
from lifeline.clock import now
from lifeline.model import NS, Level
from pipeline.canary import Judge
from pipeline.supervise import Crew
from tests.brokers import Mosquitto, until
from tests.stage import Stage

TERMS = Terms(300.0, 86400.0, 10_000)
T = 1_767_000_000 * NS


@pytest.mark.parametrize(
    ("filters", "so"),
    [
        (("lifeline/v1/#",), True),
        (("#",), True),
        (("lifeline/v1/town/+/+/+/telemetry",), True),
        (("lifeline/v1/town/gas/#", "lifeline/v1/+/other/#"), True),
        (("lifeline/v1/town/gas/#",), False),
        (("lifeline/v1/town/other/canary",), False),
    ],
)
def test_whether_receive_would_hear_it(filters: tuple[str, ...], so: bool) -> None:  # noqa: FBT001  a table of cases
    assert canary.taken(filters, canary.topic("town")) is so


def test_each_rises_and_falls_and_leaves_nothing_behind() -> None:
    judge = Judge("town", 24.0, 102.0)
    for i in range(3):
        t = T + i * 60 * NS
        said, dead = judge.judge(i, canary.topic("town"), canary.payload(t), t + NS // 10, TERMS)
        assert [(c.rule, c.new, c.t) for c in said] == [(canary.RULE, "BLUE", t), (canary.RULE, "NORMAL", t + canary.STEP)]
        assert dead == []
    assert judge.judge(3, canary.topic("town"), canary.payload(T), T + 181 * NS, TERMS) == ([], [])  # an old one again


def test_one_that_cannot_be_read_is_a_dead_letter() -> None:
    said, dead = Judge("town", 24.0, 102.0).judge(7, canary.topic("town"), b'{"puls": 1}', T, TERMS)
    assert said == []
    assert [(d.number, d.reason) for d in dead] == [(7, "unknown series: not in the catalog")]


def test_to_the_city_itself_it_says_nothing() -> None:
    made = canary.catalog(24.0, 102.0)
    other = made.__class__(**{**made.__dict__, "key": np.array(["x/y"], object)})
    found = decode([(canary.topic("town"), canary.payload(T))], T, other, TERMS, "town")
    assert (found.batch.n, found.refused, found.canary) == (0, [], (0,))


def test_a_citys_own_asset_of_that_name_is_judged_as_all_others() -> None:
    own = replace(canary.catalog(24.0, 102.0), key=np.array(["meter-9/pulse"], object), device=np.array(["meter-9"], object))
    found = decode([("lifeline/v1/town/other/canary/meter-9/telemetry", canary.payload(T))], T, own, TERMS, "town")
    assert (found.batch.n, found.canary) == (2, ())


@pytest.mark.network
@pytest.mark.timeout(200)
def test_it_comes_through_and_is_missed_when_receive_is_gone_until_it_is_back(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker, Receiver() as phone:
        stage = Stage(tmp_path, broker.port, phone.url, wells=2)
        text = stage.path.read_text().replace('every = "0s"', 'every = "500ms"\nsilence = "6s"\nchannel = "phone"')
        stage.path.write_text(text)
        with Crew(stage.path, tmp_path / "log") as crew:
            until(stage.ready, "the processes are not ready", 60)
            until(lambda: len(phone.got) >= 2, "no canary was pushed", 60)
            assert all(got.json["lifeline"]["exercise"] for got in phone.got)
            assert stage.warnings() == []
            page = stage.answer("desk", "/metrics")[1].decode()
            assert float(re.search(r"lifeline_canary_seconds_sum (\S+)", page)[1]) > 0  # type: ignore[index]

            receive = crew.child("receive").process
            assert receive is not None
            receive.kill()
            until(lambda: "pipeline_canary" in hazards(stage), "nobody missed it", 60)
            crew.tend()
            until(lambda: tended(crew) and stage.ready(), "it did not come back", 60)
            until(lambda: not standing(stage), "the warning did not end", 60)
            assert all(w["asset"] == "pipeline" for w in stage.warnings())
            until(lambda: tended(crew) and balanced(stage), "the books do not balance", 60)


def tended(crew: Crew) -> bool:
    """Whatever has ended is started again."""
    crew.tend()
    return True


def hazards(stage: Stage) -> set[str]:
    return {w["hazard"] for w in stage.warnings()}


def standing(stage: Stage) -> list[str]:
    return [w["hazard"] for w in stage.warnings() if Level[w["level"]] > Level.NORMAL]


def balanced(stage: Stage) -> bool:
    """All that was acknowledged is stored, and all of it was canaries."""
    page = stage.answer("watch", "/metrics")[1].decode()
    stored = re.search(r'lifeline_watch_messages_total{fate="stored"} (\S+)', page)
    dead = re.search(r'lifeline_watch_messages_total{fate="dead_lettered"} (\S+)', page)
    return bool(stored and dead and float(stored[1]) > 2 and float(dead[1]) == 0)


def test_the_payload_is_what_devices_may_send() -> None:
    assert json.loads(canary.payload(now()))[0]["values"] == {"pulse": 1}
