"""A story and its notice, for the tests of the channels."""

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from alerts import texts
from alerts.notice import Grounds, Notice, Outcome, Story, What
from lifeline.model import NS, Change, Domain, Evidence, Kind, Mode

SHANGHAI = ZoneInfo("Asia/Shanghai")


T0 = 1_767_000_000 * NS
PLAIN = Change(
    id="c", t=T0, city="c", district="d", domain=Domain.GAS, asset="W-1", device="d1", key="d1/ch4", quantity="methane",
    rule="r", hazard="gas_accumulation", kind=Kind.HAZARD, mode=Mode.ACTIVE, hard=True, old="NORMAL", new="RED", score=1.0,
    lat=0.0, lon=0.0, owner="o", evidence=Evidence([T0 - NS, T0], [1.0, 2.0], "%VOL", {}, "%VOL"),
)  # fmt: skip


def told(c: Change, **more: Any) -> Story:
    """What is told of a change, as the book would."""
    place = {"city": "澄江", "district": "凤麓街道", "asset": "W-1", "owner": "燃气公司", "lat": 24.67, "lon": 102.91}
    moved = {"version": 2, "what": What.WORSE, "level": c.new, "before": "YELLOW", "why": "agreed", "voices": 2}
    named = {"warning": "0123456789abcdef", "domain": "gas", "hazard": "gas_accumulation", "kind": Kind.HAZARD}
    grounds = [Grounds(c.key, c.device, c.quantity, c.rule, c.new, c.score, c.t, c.evidence)]
    facts: dict[str, Any] = {**named, **place, **moved, "onset": c.t, "t": c.t, "made": c.t, "ended": None, "grounds": grounds}
    return Story(**(facts | more))


def noticed(story: Story, **more: Any) -> Notice:
    name = f"{story.warning}.{story.version}.ways"
    facts: dict[str, Any] = {"id": name, "channel": "ways", "story": story, "texts": texts.write(story, SHANGHAI)}
    return Notice(**(facts | more))


def ended(story: Story, version: int = 3) -> Story:
    """The same warning when all is quiet."""
    over = story.t + 60 * NS
    return msgspec.structs.replace(
        story,
        version=version,
        what=What.RESOLVED,
        before=story.level,
        level="NORMAL",
        why="quiet",
        t=over,
        ended=over,
        made=over,
    )


def send(channel: Any, *notices: Notice) -> list[Outcome]:
    async def work() -> list[Outcome]:
        try:
            return [await channel.send(n) for n in notices]
        finally:
            await channel.close()

    return asyncio.run(work())
