"""A channel is tried from the command line, and nobody takes it for real."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from bench.receiver import Receiver, Reply
from lifeline.words import Unusable
from pipeline.cli import app
from tests.alerts import providers

ROBOT = "robot"


def written(folder: Path, text: str) -> str:
    (folder / "catalog.csv").write_text("", "utf-8")
    path = folder / "lifeline.toml"
    path.write_text(f'[city]\nname = "chengjiang"\ncatalog = "catalog.csv"\n{text}', "utf-8")
    return str(path)


def ask(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["notify", "test", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout


def test_a_robot_is_tried_and_its_words_are_told(tmp_path: Path) -> None:
    with providers.DingTalk(ROBOT) as provider:
        config = written(tmp_path, f'[channels.ding]\ntype = "dingtalk"\ntoken = "{ROBOT}"\nurl = "{provider.url}"\n')
        code, said = ask("ding", "--config", config, "--level", "red", "--to", "13800001111")
        assert code == 0
        assert said.startswith("sent")
        assert '"errcode": 0' in said
        (heard,) = provider.heard
        assert heard["markdown"]["title"].startswith("【演练 测试】")
        assert heard["markdown"]["text"].count("没有发生任何险情") == 2
        assert heard["at"]["atMobiles"] == ["13800001111"]
        provider.then((200, b'{"errcode":310000,"errmsg":"sign not match"}'))
        code, said = ask("ding", "--config", config, "--json")
    assert code == 1
    told = json.loads(said)
    assert (told["outcome"], told["reason"], told["person"]) == ("retry", "authError", True)
    assert "sign not match" in told["words"]


def test_every_kind_of_channel_says_that_it_is_an_exercise(tmp_path: Path) -> None:
    with Receiver(after=Reply(200, body=b'{"id":"x","code":0}')) as phone:
        tables = f"""
[channels.hook]
type = "webhook"
url = "{phone.url}"
[channels.am]
type = "alertmanager"
url = "{phone.url}"
[channels.push]
type = "ntfy"
topic = "t"
url = "{phone.url}"
[channels.sms]
type = "sms"
url = "{phone.url}"
success = {{ code = 0 }}
body = {{ to = "{{number}}", text = "{{text}}" }}
to = ["1"]
[channels.cap]
type = "cap"
sender = "desk@city.example"
name = "desk"
folder = "cap"
[channels.file]
type = "log"
path = "notices.jsonl"
"""
        config = written(tmp_path, tables)
        for name in re.findall(r"channels\.(\w+)", tables):
            assert ask(name, "--config", config)[0] == 0, name
        hook, am, push, sms = (g.json for g in phone.got)
    assert hook["lifeline"]["exercise"] is True
    assert am[0]["labels"]["exercise"] == "true"
    assert push["title"].startswith("【演练 测试】")
    assert sms["text"].startswith("【演练 测试】")
    (message,) = (tmp_path / "cap").iterdir()
    alert = ET.fromstring(message.read_bytes())  # noqa: S314  our own
    assert alert.findtext("{urn:oasis:names:tc:emergency:cap:1.2}status") == "Exercise"
    assert json.loads((tmp_path / "notices.jsonl").read_text("utf-8"))["exercise"] is True


def test_a_channel_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    config = written(tmp_path, '[channels.file]\ntype = "log"\n')
    with pytest.raises(Unusable, match="no channel 'fil'"):
        ask("fil", "--config", config)
    with pytest.raises(Unusable, match="no level 'pink'"):
        ask("file", "--config", config, "--level", "pink")
