"""What stands in the log: one event a line, no secret, no flood."""

import io
import json
import logging
import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeline.config import Config, load
from lifeline.model import NS
from pipeline import logs

SETTINGS = """\
[city]
name = "town"
catalog = "c.csv"
[broker]
username = "u"
password = "hunter2-broker"
[log]
format = "{format}"
level = "{level}"
[channels.robot]
type = "dingtalk"
url = "https://oapi.example/robot?access_token=hunter2-url"
secret = "hunter2-robot"
"""
Begin = Callable[..., Callable[[], list[str]]]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Start logging as a process does; gives what has been written so far, by line."""
    root = logging.getLogger()
    kept = root.handlers[:], root.level, sys.excepthook, threading.excepthook

    def started(format_: str = "json", level: str = "info") -> Callable[[], list[str]]:
        (tmp_path / "lifeline.toml").write_text(SETTINGS.format(format=format_, level=level))
        out = io.StringIO()
        monkeypatch.setattr(sys, "stderr", out)
        logs.start("watch", configured(tmp_path))
        return lambda: out.getvalue().splitlines()

    yield started
    root.handlers[:], sys.excepthook, threading.excepthook = kept[0], kept[2], kept[3]
    root.setLevel(kept[1])
    logging.captureWarnings(capture=False)


def configured(folder: Path) -> Config:
    return load(folder / "lifeline.toml", {})


def broken(why: str) -> None:
    raise ValueError(why)


def test_an_event_is_one_object_with_its_fields(begin: Begin) -> None:
    said = begin()
    logging.getLogger("lifeline.mqtt").warning(
        "connection ended", extra={"why": "refused\nby it", "again_s": 1.5, "level": "x"}
    )
    (line,) = map(json.loads, said())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", line.pop("time"))
    assert line == {
        "level": "warning", "process": "watch", "logger": "lifeline.mqtt", "event": "connection ended", "why": "refused\nby it",
        "again_s": 1.5, "level_": "x",
    }  # fmt: skip


def test_an_exception_is_text_in_its_line(begin: Begin) -> None:
    said = begin()
    try:
        broken("no such thing")
    except ValueError:
        logging.getLogger("lifeline.x").exception("it failed")
    (line,) = map(json.loads, said())
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: no such thing")


@pytest.mark.parametrize("format_", ["json", "console"])
def test_no_secret_is_told(begin: Begin, format_: str) -> None:
    said = begin(format_)
    log = logging.getLogger("lifeline.x")
    log.info("with %s", "hunter2-broker", extra={"table": {"secret": ["hunter2-robot"]}})
    log.info(
        "asked https://oapi.example/robot?access_token=hunter2-url&x=1", extra={"h": "Authorization: Bearer hunter2-t0ken"}
    )
    log.info("at postgresql://desk:hunter2-db@db/desk with ll_0123456789abcdef_hunter2-abc")
    try:
        broken("hunter2-robot is wrong")
    except ValueError:
        log.exception("failed")
    assert "hunter2" not in "\n".join(said())
    assert "https://oapi.example/robot" in "\n".join(said())


def test_libraries_and_python_itself_speak_the_same(begin: Begin) -> None:
    said = begin()
    logging.getLogger("uvicorn.error").error("Exception in ASGI application")
    logging.getLogger("httpx").info("HTTP Request")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()
    lines = list(map(json.loads, said()))
    assert [x["logger"] for x in lines] == ["uvicorn.error", "py.warnings", "lifeline"]
    assert (lines[2]["level"], lines[2]["who"]) == ("critical", "worker")
    assert "ZeroDivisionError" in lines[2]["exception"]


def test_only_what_is_grave_enough_is_told(begin: Begin) -> None:
    said = begin("console", "warning")
    logging.getLogger("lifeline.x").info("quiet")
    logging.getLogger("lifeline.x").warning("loud", extra={"n": 3})
    (line,) = said()
    assert re.fullmatch(r"\S+Z WARNING lifeline.x loud n=3", line)


def test_equal_errors_are_told_a_few_times_and_then_counted(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    said, t = begin(), 1_767_000_000 * NS
    monkeypatch.setattr(logs, "now", lambda: t)
    log = logging.getLogger("lifeline.x")
    for i in range(1000):
        log.error("the disk is full", extra={"path": "/data", "attempt": i})
        log.info("work goes on")
    log.error("the disk is full", extra={"path": "/other", "attempt": 0})
    lines = [x for x in map(json.loads, said()) if x["level"] == "error"]
    assert [x["path"] for x in lines] == ["/data"] * logs.FREE + ["/other"]
    t += logs.WINDOW + 1
    log.info("work goes on")
    told = [x for x in map(json.loads, said()) if "repeated" in x]
    assert [(x["level"], x["event"], x["repeated"]) for x in told] == [("error", "the disk is full", 1000 - logs.FREE)]
    log.error("the disk is full", extra={"path": "/data", "attempt": 1001})
    assert json.loads(said()[-1])["attempt"] == 1001


def test_different_errors_are_not_remembered_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    flood, t = logs.Flood(), 1_767_000_000 * NS
    monkeypatch.setattr(logs, "now", lambda: t)
    for i in range(30 * logs.KEPT):
        t += NS // 100
        assert flood.filter(logging.LogRecord("x", logging.ERROR, "", 0, f"error {i}", (), None))
    assert len(flood._seen) <= 2 * logs.KEPT


json_able = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_able)
def test_whatever_is_told_is_one_line_of_json(value: object) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "said", (), None)
    record.what = value
    line = logs.Objects("watch").format(record)
    assert "\n" not in line
    assert json.loads(line)["event"] == "said"
