"""Topics."""

import pytest

from ingest.codecs import BadPayload
from ingest.topic import FORMS, BadTopic, Topic, parse
from lifeline.model import Domain

GOOD = "lifeline/v1/chengjiang/gas/A-1/W-1/telemetry"


def test_a_topic_says_city_domain_asset_device_and_form() -> None:
    assert parse(GOOD) == Topic("chengjiang", Domain.GAS, "A-1", "W-1", "telemetry")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("domain", Domain)
def test_a_topic_written_is_the_topic_read(domain: Domain, form: str) -> None:
    where = Topic("澄江", domain, "A 1", "W:1", form)
    assert parse(str(where)) == where


@pytest.mark.parametrize(
    ("topic", "segment"),
    [
        ("other/v1/c/gas/a/d/telemetry", "root"),
        ("lifeline/v2/c/gas/a/d/telemetry", "version"),
        ("lifeline/v1//gas/a/d/telemetry", "city"),
        ("lifeline/v1/c/oil/a/d/telemetry", "domain 'oil'"),
        ("lifeline/v1/c/GAS/a/d/telemetry", "domain 'GAS'"),
        ("lifeline/v1/c/gas//d/telemetry", "asset"),
        ("lifeline/v1/c/gas/a/+/telemetry", "device '+'"),
        ("lifeline/v1/c/gas/a/d\0/telemetry", "device"),
        ("lifeline/v1/c/gas/a/d/command", "form 'command'"),
        ("lifeline/v1/c/gas/a/d", "topic"),
        ("lifeline/v1/c/gas/a/d/telemetry/x", "topic"),
        ("", "topic"),
    ],
)
def test_a_wrong_topic_is_refused_by_the_segment_that_is_wrong(topic: str, segment: str) -> None:
    with pytest.raises(BadTopic) as refused:
        parse(topic)
    assert segment in refused.value.place
    assert isinstance(refused.value, BadPayload)


def test_a_wrong_domain_is_told_the_right_ones() -> None:
    with pytest.raises(BadTopic, match="gas or water or bridge or elevator"):
        parse("lifeline/v1/c/oil/a/d/telemetry")
