"""What is said to people, and how saying it can end."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from lifeline.model import Evidence

EXERCISE: Final = "exercise:"  # before the hazard of what is only an exercise


class What(StrEnum):
    """What a notice is about."""

    RAISED = "raised"  # a new warning, or one that is back
    WORSE = "worse"
    EASED = "eased"
    RESOLVED = "resolved"
    OVERDUE = "overdue"  # nobody has answered


class Grounds(msgspec.Struct, frozen=True):
    """One series that the warning rests on."""

    key: str
    device: str
    quantity: str
    rule: str
    level: str  # Level name
    score: float | None  # [1] 1 at the first limit
    t: int  # [ns] UTC, sensor clock
    evidence: Evidence


class Pair(msgspec.Struct, frozen=True):
    """One line in both languages."""

    zh: str
    en: str


class Texts(msgspec.Struct, frozen=True):
    """The same in both languages. A title is one line, a body a few."""

    zh_title: str
    zh: str
    en_title: str
    en: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a warning at one change of its level, whoever is told."""

    warning: str
    version: int  # [1] counts the changes of level of a warning
    what: What
    level: str  # Level name
    before: str  # Level name
    kind: str
    was: str = ""  # kind before; empty in notices of an older desk
    why: str
    voices: int  # [1] independent sensors or quantities
    domain: str
    hazard: str
    city: str
    district: str
    asset: str
    owner: str
    lat: float  # [°] WGS-84
    lon: float  # [°] WGS-84
    onset: int  # [ns] UTC, sensor clock, of the change that opened the warning
    t: int  # [ns] UTC, sensor clock, of the change that made this level
    made: int  # [ns] UTC, desk clock
    ended: int | None  # [ns] UTC, sensor clock; None: still active
    reminder: int = 0  # [1] how often nobody has answered
    asked: int | None = None  # [ns] UTC, desk clock, since when
    belongs: Pair | None = None  # to which other warning, and why
    grounds: list[Grounds]  # the gravest first; after the end, the series that ended it
    labels: dict[str, str] = {}  # of another system's alert, as it calls them; of the desk's own warnings: none
    annotations: dict[str, str] = {}  # likewise
    generator: str = ""  # likewise: URL where it comes from

    @property
    def exercise(self) -> bool:
        """Whether nothing of it is real."""
        return self.hazard.startswith(EXERCISE)


class Earlier(msgspec.Struct, frozen=True):
    """A notice that went before."""

    version: int
    made: int  # [ns] UTC, desk clock


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one channel. Its id is the same however often it is sent."""

    id: str  # "<warning>.<version>.<channel>", with a person ".<person>" behind it
    channel: str
    person: str = ""  # who is meant; "": the channel's own receivers
    address: str = ""  # where the channel reaches that person: a number, a mailbox, the name to be mentioned
    part: Pair | None = None  # why it is they who are told, in one line
    story: Story
    texts: Texts
    latency: float | None = None  # [s] from the sensor's instant to this attempt
    link: str = ""  # where the person acknowledges with one tap; set for an attempt, not kept
    picture: str = ""  # where the plot of its evidence can be fetched; set for an attempt, not kept
    earlier: tuple[Earlier, ...] = ()  # what this receiver was told of the warning before; set for channels that recall
    bare: bool = False  # there is no room for a picture beside the text; set for an attempt, not kept
    count: int = 1  # [1] notices that were put together in this one
    trial: bool = False  # of the channel: nothing has happened

    @property
    def ended(self) -> bool:
        return self.story.ended is not None

    @property
    def exercise(self) -> bool:
        """Whether nobody is to act on it: an exercise, or a trial of the channel."""
        return self.trial or self.story.exercise


@dataclass(frozen=True, slots=True)
class Sent:
    """Taken over by the other side."""

    words: str  # the provider's own
    references: tuple[str, ...] = ()  # names by which the provider may report later whether it arrived


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now; the same again may go well."""

    words: str
    reason: str  # serverError, rateLimited, timeout, connection, authError, misdirected
    after: float | None = None  # [s] the provider's wish
    person: bool = False  # somebody has to mend it: the rescue channel is told at once


@dataclass(frozen=True, slots=True)
class Drop:
    """Never; the same again will fail the same way."""

    words: str
    reason: str  # clientError, authError, misconfigured, expired


Outcome = Sent | Retry | Drop


class Channel(Protocol):
    """A way to people. One attempt a call; patience belongs to the outbox."""

    async def send(self, notice: Notice) -> Outcome:
        """Never raises for anything that the other side does."""

    async def close(self) -> None: ...
