"""The long tail: whatever else the library Apprise can reach. Needs `pip install 'city-lifeline[apprise]'`."""

import asyncio
import logging
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from alerts.notice import Notice, Outcome, Retry, Sent
from lifeline.config import Seconds

OURS: Final = ("dingtalk", "wecombot", "feishu", "lark")  # it takes their 200 for success whatever the body says
TYPES: Final = {"RED": "failure", "ORANGE": "warning", "YELLOW": "warning", "BLUE": "info", "NORMAL": "success"}
log: Final = logging.getLogger("apprise")


@dataclass(frozen=True)
class Apprise:
    """One address a channel: of several, those that went well would be told again with those that did not."""

    url: str = field(repr=False, metadata={"secret": True})  # in Apprise's spelling, such as tgram://TOKEN/CHAT
    timeout: Seconds = 9.0  # [s] for all of it

    def __post_init__(self) -> None:
        scheme = self.url.partition("://")[0].lower().rstrip("s")
        if any(scheme == name.rstrip("s") for name in OURS):
            raise ValueError(f"url: {scheme}:// must not go through Apprise: use the channel that reads the provider's answer")
        try:
            library: Any = import_module("apprise")
        except ImportError:
            raise ValueError("url: the library is missing: pip install 'city-lifeline[apprise]'") from None
        if not library.Apprise().add(str(self.url)):
            raise ValueError("url: Apprise does not know such an address")

    async def send(self, notice: Notice) -> Outcome:
        """Notify once. Apprise says yes or no and writes the reason into its log, which becomes the words."""
        try:
            async with asyncio.timeout(self.timeout):
                well, words = await asyncio.to_thread(self._notify, notice)
        except TimeoutError:
            return Retry(f"no answer in {self.timeout:g} s", "timeout")
        return Sent(words or "accepted") if well else Retry(words or "Apprise says no", "serverError")

    async def close(self) -> None:
        """Nothing is kept open."""

    def _notify(self, notice: Notice) -> tuple[bool, str]:
        library: Any = import_module("apprise")
        way, ear, texts = library.Apprise(), _Ear(), notice.texts
        way.add(str(self.url))
        log.addHandler(ear)
        try:
            kind = TYPES.get(notice.story.level, "info")
            well = way.notify(title=texts.zh_title, body=f"{texts.zh}\n\n{texts.en}", notify_type=kind, body_format="text")
        finally:
            log.removeHandler(ear)
        return bool(well), "; ".join(ear.said)


class _Ear(logging.Handler):
    """Hears warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
