"""One browser on one page: who looks, in which language, and what they do."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from nicegui import ui
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import Request

from alerts import texts
from alerts.book import Changed, UnknownWarning
from alerts.case import Case
from alerts.console.html import Html, el
from alerts.console.outline import Ground
from alerts.console.pulse import Pulse
from alerts.console.words import WORDS, Pair
from alerts.dangers.danger import Incomplete
from alerts.desk import Desk
from alerts.duty.enter import NotEntered
from alerts.lifecycle import Refused
from alerts.roles import Forbidden, Role, must
from alerts.routing.matchers import BadMatcher
from alerts.routing.silences import BadSilence, UnknownSilence
from alerts.users.access import MACHINE, Who
from alerts.users.guard import recognised
from alerts.web import Problem

T = TypeVar("T")
LANGUAGE: Final = "lifeline_language"  # cookies
THEME: Final = "lifeline_theme"
ZONE: Final = ZoneInfo("Asia/Shanghai")
THEMES: Final = ("auto", "dark", "light")
REFUSALS: Final = (
    Changed, Refused, Forbidden, UnknownWarning, NotEntered, BadSilence, UnknownSilence, Incomplete, LookupError, Problem,
    BadMatcher, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Hall:
    """What all visits share."""

    desk: Desk
    pulse: Pulse
    ground: Ground
    lines: dict[tuple[int, Case], Html] = field(default_factory=dict)  # of lists, drawn once for all browsers


@dataclass(frozen=True)
class Visit:
    """One page of one browser."""

    hall: Hall
    who: Who
    headers: Headers
    query: Mapping[str, str]
    place: Mapping[str, str]  # parts of the path
    lang: int  # 0 Chinese, 1 English
    theme: str

    @classmethod
    def of(cls, hall: Hall, request: Request) -> "Visit":
        """The visit of a request that the guard has let in."""
        who: Who = request.scope["state"]["who"]
        lang = request.cookies.get(LANGUAGE) or request.headers.get("accept-language", "zh")
        theme = request.cookies.get(THEME, "auto")
        return cls(
            hall, who, request.headers, request.query_params, request.path_params, int(not lang.startswith("zh")),
            theme if theme in THEMES else "auto",
        )  # fmt: skip

    @property
    def desk(self) -> Desk:
        return self.hall.desk

    def say(self, key: str, **more: object) -> str:
        """A text of the console."""
        return WORDS[key][self.lang].format(**more)

    def pick(self, pair: Pair) -> str:
        """One of two languages."""
        return pair[self.lang]

    def may(self, least: Role) -> bool:
        """Whether the role suffices; the system's own token does nothing here, for nobody would be known to have done it."""
        return self.who.role >= least and self.who.name != MACHINE

    def ago(self, t: int | None) -> Html:
        """An instant that the browser shows as an age. t [ns]"""
        return el("time", "–" if t is None else local(t), data_t=None if t is None else t // 1_000_000)

    async def read(self, work: Callable[..., T], *args: Any) -> T:
        """A question to the database, off the event loop."""
        return await asyncio.to_thread(work, *args)

    async def act(self, least: Role, work: Callable[[Who], T], done: str = "done") -> T | None:
        """Do something in the name of whoever looks, if they still may; what is refused is said, and None."""
        who, _ = await asyncio.to_thread(recognised, self.desk.access, self.headers, self.desk.clock.now())
        if who is None or who.name == MACHINE:
            ui.notify(self.say("sign_in_again"), type="negative")
            return None
        try:
            must(who.role, least, self.say("this"))
            made = await asyncio.to_thread(work, who)
        except REFUSALS as why:
            said = why.body["detail"] if isinstance(why, Problem) else str(why)
            ui.notify(f"{self.say('refused')}: {said}", type="negative", multi_line=True, timeout=10_000)
            return None
        except SQLAlchemyError as why:
            ui.notify(f"{self.say('not_saved')}: {why}", type="negative", multi_line=True, timeout=0, close_button="×")
            return None
        self.hall.pulse.poke()
        ui.notify(self.say(done), type="positive")
        return made


def local(t: int) -> str:
    """11-30 17:05:03 in the city's time. t [ns]"""
    return texts.local(t, ZONE)[5:19]
