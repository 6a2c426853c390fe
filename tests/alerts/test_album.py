"""A plot in a card of Feishu; and that no text waits for a picture."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest

from alerts import album, plot
from alerts.book import Book
from alerts.channels.feishu import Feishu
from alerts.channels.wecom import Wecom
from alerts.claim import Wish, claim
from alerts.notice import Notice, Outcome, Sent
from alerts.route import Route
from alerts.tables import Database
from lifeline.model import NS, Level
from tests.alerts import providers
from tests.alerts.conftest import Say
from tests.alerts.story import noticed, told

APP = ("cli_a1", "hush")
AT = 1_767_000_100 * NS


@pytest.fixture(scope="module", autouse=True)
def warm() -> Iterator[None]:
    plot.warm()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plot, "PATIENCE", 60.0)
        patch.setattr(album, "WHOLE", 60.0)
        yield


@pytest.fixture
def red(say: Say) -> Notice:
    link = {"link": "https://desk.example/a/x", "picture": "https://desk.example/a/p/plot.png"}
    return noticed(told(say(Level.RED)), **link)


def send(host: str, *notices: Notice, app: tuple[str, str] = APP) -> list[Outcome]:
    """Through one channel, one after the other."""

    async def work() -> list[Outcome]:
        channel = Feishu("robot", host=host, app_id=app[0], app_secret=app[1])
        try:
            return [await channel.send(n) for n in notices]
        finally:
            await channel.close()

    return asyncio.run(work())


def test_a_card_shows_the_plot_that_an_app_uploads(red: Notice) -> None:
    with providers.Feishu("robot", app=APP) as provider:
        (outcome,) = send(provider.url, red)
    assert isinstance(outcome, Sent)
    elements = provider.heard[0]["card"]["elements"]
    (shown,) = [e for e in elements if e["tag"] == "img"]
    assert provider.pictures[shown["img_key"]].startswith(b"\x89PNG")
    (buttons,) = [e["actions"] for e in elements if e["tag"] == "action"]
    assert [b["url"] for b in buttons] == [red.link]


def test_one_version_is_uploaded_once_under_one_token(red: Notice) -> None:
    later = msgspec.structs.replace(red, story=msgspec.structs.replace(red.story, version=3))
    with providers.Feishu("robot", app=APP) as provider:
        assert all(isinstance(o, Sent) for o in send(provider.url, red, red, later))
    assert (provider.tokens, len(provider.pictures)) == (1, 2)


@pytest.mark.parametrize(
    "answer", [(200, b"<html>"), (500, b""), (200, b'{"code":0}'), (200, b"[]"), (200, b'{"code":0,"expire":1}')]
)
def test_where_it_cannot_be_uploaded_the_card_has_a_link_and_the_words_say_why(red: Notice, answer: tuple[int, bytes]) -> None:
    with providers.Feishu("robot", app=APP) as provider:
        provider.then(answer)
        (outcome,) = send(provider.url, red)
    assert isinstance(outcome, Sent)
    assert "; plot: " in outcome.words
    elements = provider.heard[0]["card"]["elements"]
    assert [b["url"] for e in elements if e["tag"] == "action" for b in e["actions"]] == [red.link, red.picture]
    assert not any(e["tag"] == "img" for e in elements)


def test_a_wrong_secret_costs_the_plot_only_and_is_told_to_nobody(red: Notice) -> None:
    with providers.Feishu("robot", app=APP) as provider:
        (outcome,) = send(provider.url, red, app=("cli_a1", "guess"))
    assert isinstance(outcome, Sent)
    assert "10014" in outcome.words
    assert "guess" not in outcome.words + repr(Feishu("robot", app_id=APP[0], app_secret="guess"))  # noqa: S106  of a mock


def test_a_token_that_is_no_longer_one_is_asked_for_anew(red: Notice) -> None:
    later = msgspec.structs.replace(red, story=msgspec.structs.replace(red.story, version=3))
    with providers.Feishu("robot", app=APP) as provider:
        provider.then((200, b'{"code":0,"tenant_access_token":"t-old","expire":7200}'))
        first, second = send(provider.url, red, later)
    assert "99991663" in first.words
    assert "plot" not in second.words
    assert provider.tokens == 1


def test_an_upload_that_takes_too_long_is_left(red: Notice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(album, "WHOLE", 0.0)
    with providers.Feishu("robot", app=APP) as provider:
        (outcome,) = send(provider.url, red)
    assert isinstance(outcome, Sent)
    assert "plot: not in 0 s" in outcome.words
    assert len(provider.heard) == 1


def test_an_app_needs_both_halves() -> None:
    with pytest.raises(ValueError, match="one is given without the other"):
        Feishu("robot", app_id="a")
    assert Feishu("robot", app_id=APP[0], app_secret=APP[1]).draws
    assert not Feishu("robot").draws


# ------------------------------------------------------------------------------------------------ room for pictures


def claimed(database: Database, book: Book, say: Say, n: int, level: Level, at: int) -> list[list[bool]]:
    """What a WeCom robot with pictures may send now: for each message, whether its notices go bare."""
    book.take([say(level, at / NS % 1000 + i, f"d{at}{i}", f"W-{at}-{i}", hard=True) for i in range(n)], at)
    with database.write() as db:
        wish = Wish("phone", 8, 12, Wecom("robot", image=True))
        return [[c.notice.bare for c in batch] for batch in claim(db, wish, holder="desk", at=at, lease=12.0)]


def test_pictures_use_only_what_no_text_of_the_minute_may_need(database: Database, say: Say) -> None:
    """Of 20 messages a minute 5 are for RED, 5 for texts: so 10 may go with pictures, which is five notices."""
    book = Book(database, [Route("phone")])
    found = [batch for i in range(7) for batch in claimed(database, book, say, 1, Level.YELLOW, AT + i * NS)]
    assert found == [[False]] * 5 + [[True]] * 2


def test_the_last_message_of_a_minute_is_a_text(database: Database, say: Say) -> None:
    book = Book(database, [Route("phone")])
    sent = [b for i in range(10) for b in claimed(database, book, say, 1, Level.YELLOW, AT + i * NS)]
    assert len(sent) == 10  # 5 with a picture are 10, and 5 texts: what is not RED has used its 15
    red = [b for i in range(10, 15) for b in claimed(database, book, say, 1, Level.RED, AT + i * NS)]
    assert red == [[True]] * 5


def test_a_crowd_goes_as_texts_first(database: Database, say: Say) -> None:
    book = Book(database, [Route("phone")])
    found = claimed(database, book, say, 7, Level.YELLOW, AT)
    assert [len(b) for b in found] == [1] * 7
    assert found.count([False]) == 3  # 7 texts leave 3 of the 10
