"""A notice of nothing, to try a channel with: marked as an exercise wherever it can be read."""

import math
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from alerts import texts
from alerts.notice import Grounds, Notice, Story, Texts, What
from lifeline.model import NS, Evidence, Kind, Level, warning_id

ZH: Final = "这是一次渠道测试，没有发生任何险情，请勿处置。"
EN: Final = "This is a test of a notification channel. Nothing has happened; do nothing."


def trial(channel: str, level: Level, city: str, at: int, to: str = "") -> Notice:
    """One notice to a channel's own receivers, or to an address. at [ns]"""
    story = _story(level, city, at)
    said = texts.write(story, ZoneInfo("Asia/Shanghai"))
    zh, en = f"【演练 测试】{said.zh_title}", f"[EXERCISE, TEST] {said.en_title}"
    both = Texts(zh, f"{zh}\n{ZH}\n{said.zh}\n{ZH}", en, f"{en}\n{EN}\n{said.en}\n{EN}")
    name = f"{story.warning}.1.{channel}{'.trial' if to else ''}"
    return Notice(id=name, channel=channel, person="trial" if to else "", address=to, story=story, texts=both, trial=True)


def _story(level: Level, city: str, at: int) -> Story:
    t = [at - i * 10 * NS for i in range(30)][::-1]
    seen = Evidence(t, [round(0.4 + 0.3 * math.sin(i / 4), 3) for i in range(30)], "%VOL", {"YELLOW": 1.0}, "%VOL")
    grounds = Grounds("TEST/ch4", "TEST", "methane", "test", level.name, None, at, seen)
    place = {"city": city, "district": "", "asset": "TEST", "owner": "TEST", "lat": 0.0, "lon": 0.0}
    facts = {"warning": warning_id("TEST", "anomaly", at), "version": 1, "what": What.RAISED, "level": level.name}
    more = {
        "before": Level.NORMAL.name,
        "kind": Kind.HAZARD,
        "why": "lone",
        "voices": 1,
        "domain": "other",
        "hazard": "anomaly",
    }
    made = {"onset": at, "t": at, "made": at, "ended": None, "grounds": [grounds]}
    return msgspec.convert({**facts, **more, **place, **made}, Story, from_attributes=True)
