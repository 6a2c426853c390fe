"""The pages of the console: one file each, and this list. `g` and a letter goes to a page."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from alerts.console.pages import case, cases, city, danger, dangers, exercises, health, roster, silences, wall
from alerts.console.pulse import Snapshot
from alerts.console.visit import Visit

Refresh = Callable[[Snapshot], Awaitable[None] | None] | None  # what a page does when the picture is new; None: nothing


class Page(NamedTuple):
    """One page."""

    name: str  # its title in the words
    path: str  # under /console
    build: Callable[[Visit, Snapshot], Awaitable[Refresh]]
    key: str = ""  # after g; "": it is not in the navigation
    icon: str = ""
    bare: bool = False  # without a frame


PAGES: Final = (
    Page("city", "/", city.build, "m", "◉"),
    Page("cases", "/cases", cases.build, "c", "▤"),
    Page("case", "/case/{case}", case.build),
    Page("roster", "/roster", roster.build, "r", "◷"),
    Page("dangers", "/dangers", dangers.build, "d", "▲"),
    Page("danger", "/dangers/{danger}", danger.build),
    Page("silences", "/silences", silences.build, "s", "◌"),
    Page("exercises", "/exercises", exercises.build, "e", "◇"),
    Page("health", "/health", health.build, "h", "✚"),
    Page("wall", "/wall", wall.build, "w", "▣", bare=True),
)
