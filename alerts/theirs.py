"""What another system says of an alert of its own, as notices carry it: labels, annotations, where it comes from."""

from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select

from alerts import alertmanager
from alerts.notice import Story
from alerts.routing.tables import facts

RULE: Final = "external.alert"  # of changes that other systems' alerts make
MOST: Final = 64  # [1] labels, and annotations, that a notice carries
LONGEST: Final = 4000  # [character] of one of them in a notice
SHOWN: Final = 500  # [character] of one of them in a text
OURS: Final = frozenset({"warning"})  # labels that nobody else may set
NAMED: Final = ("alertname", "severity", "asset", "domain", "district", "city", "owner", "kind")  # said elsewhere in a text
_SAID: Final = select(facts.c.labels, facts.c.annotations, facts.c.generator).where(
    facts.c.asset == bindparam("asset"), facts.c.hazard == bindparam("hazard")
)


def told(db: Connection, story: Story) -> Story:
    """A story with what its sender said, as it was said last; of the desk's own warnings the story as it is."""
    if not any(g.rule == RULE for g in story.grounds):
        return story
    row = db.execute(_SAID, {"asset": story.asset, "hazard": story.hazard}).one_or_none()
    if row is None:
        return story
    said, noted = (msgspec.json.decode(text, type=dict[str, str]) for text in (row.labels, row.annotations))
    return msgspec.structs.replace(story, labels=_short(said), annotations=_short(noted), generator=row.generator[:LONGEST])


def _short(said: dict[str, str]) -> dict[str, str]:
    return {k[:LONGEST]: v[:LONGEST] for k, v in sorted(said.items())[:MOST]}


def labels(story: Story, **fixed: str) -> dict[str, str]:
    """A warning's labels; its sender's own go before ours. fixed: what is as it is, whatever the sender calls it"""
    own = alertmanager.labels(msgspec.to_builtins(story))
    return {**own, **{k: v for k, v in story.labels.items() if k not in OURS}, **fixed}


def annotations(story: Story, *, zh: str, en: str, description: str) -> dict[str, str]:
    """Likewise; `summary_zh` is ours always."""
    return {**alertmanager.annotations(zh=zh, en=en, description=description), **story.annotations, "summary_zh": zh}


def source(story: Story, public_url: str) -> str:
    """Where a person reads about it: with its sender, else with us."""
    return story.generator or alertmanager.link(public_url, story.warning)


def lines(story: Story) -> tuple[list[str], list[str]]:
    """What a text says of it, in Chinese and English: the sender's words as they are, and where to read on."""
    noted, first = story.annotations, story.grounds[0].evidence.note if story.grounds else ""
    more = ", ".join(f"{k}={v}" for k, v in story.labels.items() if k not in NAMED)
    said = [
        ("摘要", "Summary", noted.get("summary", "")),
        ("说明", "Description", noted.get("description") or noted.get("message", "")),
        ("处置手册", "Runbook", noted.get("runbook_url", "")),
        ("来源", "Source", story.generator),
        ("标签", "Labels", more),
    ]
    found = [(zh, en, short(text)) for zh, en, text in said if text.strip() and short(text) != first]
    return [f"{zh}：{text}" for zh, _, text in found], [f"{en}: {text}" for _, en, text in found]


def short(text: str) -> str:
    """One line of it."""
    plain = " ".join(text.split())
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}…"
