"""`lifeline alerts …` against a desk that answers in pages, or not at all."""

import json

import pytest

from bench.receiver import Receiver, Reply
from lifeline.model import Level
from lifeline.words import Failed, Unusable
from pipeline.forms import Form
from pipeline.hotline import Line, exported, listed
from tests.brokers import free_port


def row(i: int) -> dict[str, object]:
    return {"id": f"w{i}", "level": "RED", "state": "open", "onset": i, "zh": "红", "en": "red"}


def page(*rows: int, after: str = "") -> Reply:
    link = (("Link", f'</api/v1/warnings?limit=2&after={after}>; rel="next"'),) if after else ()
    return Reply(200, link, json.dumps([row(i) for i in rows]).encode())


def test_a_list_is_asked_for_page_by_page_wherever_the_desk_stands() -> None:
    with Receiver([page(5, 4, after="a"), page(3, 2, after="b"), page(1)]) as desk:
        found = list(Line(f"{desk.url}behind/", {}).pages("/api/v1/warnings", live="true"))
        asked = [got.path for got in desk.got]
    assert [w["id"] for w in found] == ["w5", "w4", "w3", "w2", "w1"]
    assert asked[0].startswith("/behind/api/v1/warnings?live=true&limit=")
    assert asked[1:] == ["/behind/api/v1/warnings?limit=2&after=a", "/behind/api/v1/warnings?limit=2&after=b"]


def test_no_more_is_asked_for_than_is_wanted() -> None:
    with Receiver([page(5, 4, after="a"), page(3, 2, after="b")]) as desk:
        said = exported(Line(desk.url, {}), 3, form=Form.JSON)
        assert len(desk.got) == 2
    assert [w["id"] for w in json.loads(said)] == ["w5", "w4", "w3"]


def test_a_desk_that_is_away_or_broken_has_failed_and_one_that_refuses_says_why() -> None:
    with pytest.raises(Failed, match="does not answer"):
        listed(Line(f"http://127.0.0.1:{free_port()}", {}), [], Level.BLUE)
    refusals = [Reply(503, body=b'{"detail": "database: locked"}'), Reply(403, body=b'{"detail": "needs the role"}')]
    with Receiver(refusals) as desk:
        with pytest.raises(Failed, match="locked"):
            exported(Line(desk.url, {}), 1)
        with pytest.raises(Unusable, match="needs the role"):
            exported(Line(desk.url, {}), 1)


def test_times_that_are_none_are_refused() -> None:
    with pytest.raises(Unusable, match="offset"):
        exported(Line("http://127.0.0.1:1", {}), 1, "2026-10-01T00:00:00")
