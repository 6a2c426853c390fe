"""How often a channel may speak, and how several notices go in one message when more wait than that."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol, TypeGuard

import msgspec

from alerts.notice import Channel, Notice, Texts
from alerts.texts import LEVELS
from lifeline.model import Level

MOST: Final = 20  # [1] notices in one message; nobody reads more


class Window(NamedTuple):
    """In any stretch of so many seconds at most so many messages; some of them are kept for RED."""

    limit: int  # [1] messages
    seconds: float
    reserve: int = 0  # [1] messages that only RED may use


@dataclass(frozen=True)
class Pace:
    """What a provider allows a channel."""

    windows: tuple[Window, ...]
    weight: int = 1  # [1] messages that one notice alone makes with its picture; without room for that it goes without
    apart: bool = False  # only what goes to the same address may go together

    @property
    def memory(self) -> float:
        """How long a message counts. [s]"""
        return max(w.seconds for w in self.windows)


class Paced(Channel, Protocol):
    """A channel whose provider counts."""

    @property
    def pace(self) -> Pace: ...

    def fits(self, notice: Notice) -> bool:
        """Whether all of a notice's text goes into one message."""


def paced(channel: Channel) -> TypeGuard[Paced]:
    return getattr(channel, "pace", None) is not None


def minute(limit: int, reserve: int) -> None:
    """ValueError for settings of a pace that leave nothing to one or the other."""
    if not 0 <= reserve < limit:
        raise ValueError(f"reserve: must be from 0 to {limit - 1}, for per_minute is {limit}, not {reserve}")


def urgent(notice: Notice) -> bool:
    return notice.story.level == Level.RED.name


def groups(notices: Sequence[Notice], messages: int, channel: Paced, alone: Collection[str] = ()) -> list[list[int]]:
    """Which notices go in which message, RED first: each by itself if there are messages enough, else together.

    Pictures are not thought of here: they get what the texts leave.

    messages: how many may be sent now. [1]
    alone: ids of notices that go by themselves, such as those of a bundle that was refused.
    Returns the places in `notices`; those named by none have to wait.
    """
    order = sorted(range(len(notices)), key=lambda i: not urgent(notices[i]))
    if len(order) <= messages:
        return [[i] for i in order]
    made: list[list[int]] = []
    newest: dict[str, list[int]] = {}  # the message that takes more, for each address where they go apart
    for i in order:
        one = notices[i]
        key = one.address if channel.pace.apart else ""
        home = newest.get(key) if one.id not in alone else None
        if home is not None and len(home) < MOST and channel.fits(bundled([notices[k] for k in (*home, i)])):
            home.append(i)
        elif len(made) < messages:
            made.append([i])
            newest |= {key: made[-1]} if one.id not in alone else {}
        elif not channel.pace.apart:
            break  # nothing more goes in
    return made


def bundled(notices: Sequence[Notice]) -> Notice:
    """Several notices as one: bodies joined, the gravest first; what is said of the whole is said of the gravest."""
    if len(notices) == 1:
        return notices[0]
    ranked = sorted(notices, key=lambda n: -Level[n.story.level])
    first, n = ranked[0], len(ranked)
    zh_level, en_level = LEVELS[first.story.level]
    zh, en = f"【共 {n} 条，最高{zh_level}】{first.texts.zh_title}", f"[{n} notices, gravest {en_level}] {first.texts.en_title}"
    texts = Texts(zh, _joined(zh, (x.texts.zh for x in ranked)), en, _joined(en, (x.texts.en for x in ranked)))
    addresses = ",".join(dict.fromkeys(x.address for x in ranked if x.address))
    whole = {"texts": texts, "address": addresses, "part": None, "link": "", "picture": ""}
    return msgspec.structs.replace(first, id=f"{first.id}&{n - 1}", count=n, **whole)


def _joined(title: str, bodies: Iterable[str]) -> str:
    return "\n\n".join([title, *bodies])
