"""The long tail, by a library that says yes or no."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from alerts import channels
from alerts.channels.apprise import Apprise
from alerts.notice import Retry, Sent
from bench.receiver import Receiver, Reply
from lifeline.config import ConfigRefused
from lifeline.model import Change, Level
from tests.alerts.story import noticed, send, told

Say = Callable[..., Change]
OLD = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # it loads all it has


@pytest.mark.parametrize("name", ["dingtalk://token", "wecombot://key", "feishu://token", "lark://token", "LARK://t"])
def test_robots_that_answer_200_to_everything_are_refused(name: str) -> None:
    with pytest.raises(ConfigRefused, match="must not go through Apprise"):
        channels.configured({"a": {"type": "apprise", "url": name}})


def test_without_the_library_the_configuration_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ConfigRefused, match=r"city-lifeline\[apprise\]"):
        channels.configured({"a": {"type": "apprise", "url": "json://x"}})


@OLD
def test_yes_is_sent_and_no_is_tried_again_with_the_library_s_own_words(say: Say) -> None:
    pytest.importorskip("apprise", exc_type=ImportError)
    notice = noticed(told(say(Level.RED)))
    with Receiver([Reply(200), Reply(500)]) as phone:
        way: Any = Apprise(f"json://{phone.url.removeprefix('http://')}")
        good, bad = send(way, notice, notice)
    assert isinstance(good, Sent)
    assert "红色预警" in phone.got[0].json["title"]
    assert isinstance(bad, Retry)
    assert "500" in bad.words
    assert phone.url not in repr(way)


@OLD
def test_an_address_that_the_library_does_not_know_is_refused() -> None:
    pytest.importorskip("apprise", exc_type=ImportError)
    with pytest.raises(ConfigRefused, match="does not know"):
        channels.configured({"a": {"type": "apprise", "url": "nosuch://x"}})
