"""Links that acknowledge: with one tap, once, in time, and for what the person has seen."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import rows
from alerts.api import app
from alerts.desk import Desk, Settings
from alerts.links import LIFE, BadLink, Links, dressed
from alerts.notice import Notice, Pair
from alerts.route import Route
from alerts.tables import Database, outbox
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS, Change, Level
from tests.alerts.story import PLAIN, noticed, told

N, B, Y, O, R = Level
T0 = 1_767_000_000 * NS
BEARER = "s3cret"
URL = "https://desk.city.example"
Say = Callable[..., Change]


@pytest.fixture
def clock() -> FastClock:
    return FastClock(T0)


@pytest.fixture
def desk(database: Database, catalog: Catalog, clock: FastClock) -> Desk:
    return Desk.of(Settings("chengjiang", URL, token=BEARER), database, catalog, [Route("phone")], {}, clock)


def ask(desk: Desk, *requests: tuple[str, str, str]) -> list[httpx.Response]:
    """Each in turn: method, path, body."""

    async def work() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app(desk)), base_url=URL) as http:
            return [await http.request(m, path, content=body) for m, path, body in requests]

    return asyncio.run(work())


def meant(desk: Desk, say: Say, level: Level = O, **more: Any) -> Notice:
    """A warning that stands, and the notice of it to a person."""
    desk.take([say(level, **more)])
    with desk.database.read() as db:
        body = db.execute(outbox.select().order_by(outbox.c.version.desc())).mappings().first()
    assert body is not None
    notice = msgspec.json.decode(body["body"], type=Notice)
    return msgspec.structs.replace(notice, person="li.si", address="13800001111", part=Pair("权属单位值班", "owner on duty"))


def path(desk: Desk, notice: Notice) -> str:
    assert desk.outbox.links is not None
    return desk.outbox.links.acknowledge(notice).removeprefix(URL)


def state(desk: Desk, notice: Notice) -> tuple[str, str | None]:
    with desk.database.read() as db:
        case = rows.find(db, notice.story.warning)
    assert case is not None
    return case.state, case.acknowledged_by


def test_one_tap_answers_as_the_person_and_a_second_says_that_it_was_used(desk: Desk, say: Say) -> None:
    notice = meant(desk, say)
    link = path(desk, notice)
    (page,) = ask(desk, ("GET", link, ""))
    assert page.status_code == 200
    assert "确认收到" in page.text
    assert "ORANGE" in page.text
    assert "W-1" in page.text
    assert "<script" not in page.text
    assert "以 li.si 的名义" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    seen = re.search(r'name=seen value="(\d+)"', page.text)
    assert seen is not None
    tapped, again, shown = ask(desk, ("POST", link, f"seen={seen[1]}"), ("POST", link, f"seen={seen[1]}"), ("GET", link, ""))
    assert tapped.status_code == 200
    assert "已确认" in tapped.text
    assert state(desk, notice) == ("taken", "li.si")
    assert again.status_code == 409
    assert "已经用过" in again.text
    assert "已经用过" in shown.text


def test_looking_is_not_answering(desk: Desk, say: Say) -> None:
    notice = meant(desk, say)
    ask(desk, *[("GET", path(desk, notice), "")] * 5, ("HEAD", path(desk, notice), ""))
    assert state(desk, notice) == ("open", None)


def test_what_has_become_worse_meanwhile_is_not_answered_unseen(desk: Desk, say: Say) -> None:
    notice = meant(desk, say, Y)
    desk.take([say(R, 1)])
    link = path(desk, notice)
    (late,) = ask(desk, ("POST", link, "seen=1"))
    assert late.status_code == 409
    assert "等级已升高" in late.text
    assert "RED" in late.text
    assert state(desk, notice) == ("urgent", None)
    (now_seen,) = ask(desk, ("POST", link, "seen=2"))
    assert now_seen.status_code == 200
    assert state(desk, notice)[1] == "li.si"


@pytest.mark.parametrize("body", ["", "seen=", "seen=x", "seen=-1", "seen=%C2%B2", "other=1", "a" * 5000])
def test_a_post_without_what_was_seen_answers_nothing(desk: Desk, say: Say, body: str) -> None:
    notice = meant(desk, say)
    (answer,) = ask(desk, ("POST", path(desk, notice), body))
    assert answer.status_code == 409
    assert "确认收到" in answer.text
    assert state(desk, notice) == ("open", None)


def test_a_link_expires_and_says_so(desk: Desk, say: Say, clock: FastClock) -> None:
    notice = meant(desk, say)
    link = path(desk, notice)
    asyncio.run(clock.until(T0 + (LIFE + 2) * NS))
    for answer in ask(desk, ("GET", link, ""), ("POST", link, "seen=1")):
        assert answer.status_code == 410
        assert "已过期" in answer.text
    assert state(desk, notice) == ("open", None)


def test_a_link_of_a_picture_acknowledges_nothing_and_the_other_way_round(desk: Desk, say: Say) -> None:
    notice = meant(desk, say)
    links = desk.outbox.links
    token = links.picture(notice).rsplit("/", 2)[1]
    wrong, plot, other = ask(
        desk,
        ("POST", f"/a/{token}", "seen=1"),
        ("GET", f"/a/{token}/plot.png", ""),
        ("GET", f"{path(desk, notice)}/plot.png", ""),
    )
    assert wrong.status_code == 404
    assert plot.content.startswith(b"\x89PNG")
    assert other.status_code == 410
    assert state(desk, notice) == ("open", None)


@given(data=st.data())
def test_a_link_that_was_changed_in_one_place_is_none(data: st.DataObject) -> None:
    links = Links(b"s", URL)
    token = links.acknowledge(LETTER).rsplit("/", 1)[1]
    i = data.draw(st.integers(0, len(token) - 1))
    c = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_%é./ "))
    changed = token[:i] + c + token[i + 1 :]
    try:
        assert links.read(changed) == links.read(token)  # the last character holds bits that say nothing
        assert changed[:-1] == token[:-1]
    except BadLink:
        assert changed != token


@given(st.text(max_size=100))
def test_nonsense_is_no_link(text: str) -> None:
    with pytest.raises(BadLink):
        Links(b"s", URL).read(text)


def test_another_secret_s_links_are_none_and_the_database_keeps_its_own(database: Database) -> None:
    mine, again = Links.of(database, URL), Links.of(database, URL)
    token = mine.acknowledge(LETTER).rsplit("/", 1)[1]
    assert again.read(token) == mine.read(token)
    assert mine.read(token).person == "li.si"
    with pytest.raises(BadLink):
        Links(b"other", URL).read(token)
    assert "secret" not in repr(mine)


def test_the_link_and_the_reason_stand_in_personal_notices_only() -> None:
    links = Links(b"s", URL)
    personal, common = dressed(LETTER, links), dressed(msgspec.structs.replace(LETTER, person="", part=None), links)
    for text in (personal.texts.zh, personal.texts.en):
        assert links.acknowledge(LETTER) in text
    assert "通知您的原因：权属单位值班" in personal.texts.zh
    assert "Why you are told: owner on duty" in personal.texts.en
    assert "/a/" not in common.texts.zh
    assert common.link == ""
    assert common.picture == links.picture(LETTER)
    assert len(links.acknowledge(LETTER)) < 120


def test_a_desk_that_the_internet_cannot_reach_offers_it_no_pictures() -> None:
    for url in ("http://127.0.0.1:8087", "http://10.1.2.3", "http://desk", "https://desk.local", "http://[::1]:8087"):
        assert dressed(LETTER, Links(b"s", url)).picture == ""


LETTER = noticed(told(PLAIN), person="li.si", part=Pair("权属单位值班", "owner on duty"))
