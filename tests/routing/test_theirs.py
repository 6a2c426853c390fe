"""Notices of other systems' alerts say what these systems said."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from alerts import texts
from alerts.chain import Chain
from alerts.channels.alertmanager import Alertmanager
from alerts.channels.webhook import body
from alerts.notice import Notice, What
from alerts.routing.external import External, Places, Posted
from alerts.tables import outbox
from alerts.theirs import LONGEST, MOST, SHOWN
from lifeline.clock import iso
from lifeline.model import NS, Change, Level
from tests.alerts.story import SHANGHAI, noticed, told

T0 = 1_767_000_000 * NS
Made = Callable[..., Any]
NOTED = {
    "summary": "disk of web-1 is full",
    "description": "only 2 % left\non /var; [see](x)",
    "runbook_url": "https://wiki.example/disk",
    "team": "web",
}
SOURCE = "http://prometheus.example:9090/graph?g0.expr=up"


class Taker:
    """Alerts in, notices out."""

    def __init__(self, scene: Any) -> None:
        self.s = scene
        self.taker = External(scene.book, Places("chengjiang", "centre", 24.6, 102.9, {}))

    def post(self, at: int, end: int = 10_000, noted: dict[str, str] | None = None, **labels: str) -> None:
        said = {"alertname": "DiskFull", "instance": "web-1", "severity": "critical", **labels}
        alert = Posted(said, NOTED if noted is None else noted, endsAt=iso(T0 + end * NS), generatorURL=SOURCE)
        assert self.taker.take([alert], T0 + at * NS)[1] == []

    def notices(self) -> list[Notice]:
        with self.s.database.read() as db:
            bodies = db.execute(select(outbox.c.body).order_by(outbox.c.made, outbox.c.version, outbox.c.id)).scalars()
            return [msgspec.json.decode(b, type=Notice) for b in bodies]


@pytest.fixture
def alerts(scene: Made) -> Taker:
    return Taker(scene())


def test_a_text_says_the_sender_s_words_and_where_to_read_on(alerts: Taker) -> None:
    alerts.post(0)
    (notice,) = alerts.notices()
    assert notice.texts.zh.count("disk of web-1 is full") == 1
    lines = notice.texts.en.split("\n")
    assert "Description: only 2 % left on /var; [see](x)" in lines
    assert "Runbook: https://wiki.example/disk" in lines
    assert f"Source: {SOURCE}" in lines
    assert "Labels: instance=web-1" in lines


def test_a_webhook_gets_the_sender_s_labels_and_annotations(alerts: Taker) -> None:
    alerts.post(0, warning="forged")
    (notice,) = alerts.notices()
    (alert,) = body(notice, "http://desk")["alerts"]
    assert {"alertname": "DiskFull", "instance": "web-1", "severity": "critical", "asset": "external"}.items() <= alert[
        "labels"
    ].items()
    assert alert["labels"]["warning"] == notice.story.warning
    assert NOTED.items() <= alert["annotations"].items()
    assert "工单" in alert["annotations"]["summary_zh"] or "预警" in alert["annotations"]["summary_zh"]
    assert alert["generatorURL"] == SOURCE


def test_an_alertmanager_is_told_our_level_under_the_sender_s_name(alerts: Taker) -> None:
    alerts.post(0, severity="warning")
    alerts.post(10, severity="critical")
    worse = [n for n in alerts.notices() if n.story.what is What.WORSE]
    now, before = Alertmanager("http://127.0.0.1:1").alerts(worse[0])
    assert [a["labels"]["severity"] for a in (now, before)] == ["ORANGE", "YELLOW"]
    assert {a["labels"]["alertname"] for a in (now, before)} == {"DiskFull"}
    assert now["generatorURL"] == SOURCE


def test_the_end_and_a_reminder_carry_them_too_as_they_were_said_last(alerts: Taker) -> None:
    alerts.post(0)
    alerts.post(30, noted={"summary": "now it is fuller"})
    Chain(alerts.s.book).turn(T0 + 400 * NS)
    alerts.post(500, end=499, noted={"summary": "there is room"})
    found = [(n.story.what, n.story.annotations["summary"]) for n in alerts.notices()]
    assert "摘要：now it is fuller" in alerts.notices()[1].texts.zh.split("\n")
    assert found == [
        (What.RAISED, "disk of web-1 is full"), (What.OVERDUE, "now it is fuller"), (What.RESOLVED, "there is room"),
    ]  # fmt: skip


def test_what_is_endless_is_cut_and_what_is_missing_is_not_said(alerts: Taker) -> None:
    many = {f"k{i:03}": "x" * 10 * LONGEST for i in range(2 * MOST)}
    alerts.post(0, noted={**many, "description": "y" * 10 * SHOWN})
    (notice,) = alerts.notices()
    assert len(notice.story.annotations) == MOST
    assert max(map(len, notice.story.annotations.values())) == LONGEST
    assert "Summary" not in notice.texts.en
    assert all(len(line) < 2 * SHOWN for line in notice.texts.en.split("\n"))


def test_the_desk_s_own_warnings_are_told_as_ever(say: Callable[..., Change]) -> None:
    notice = noticed(told(say(Level.RED)))
    (alert,) = body(notice, "http://desk")["alerts"]
    assert alert["labels"]["severity"] == "RED"
    assert alert["annotations"] == {
        "summary": notice.texts.en_title,
        "summary_zh": notice.texts.zh_title,
        "description": notice.texts.en,
    }
    assert texts.write(notice.story, SHANGHAI) == notice.texts
    assert "Summary" not in notice.texts.en
