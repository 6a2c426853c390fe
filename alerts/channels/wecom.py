"""A robot in a WeCom group (企业微信群机器人): Markdown, and the plot as a picture."""

import asyncio
import base64
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Final

import httpx
import msgspec

from alerts import markdown, peer, plot
from alerts.notice import Notice, Outcome, Retry, Sent
from alerts.pace import Pace, Window, minute
from alerts.robot import Codes, read
from lifeline.config import Between, Seconds

SIZE: Final = 4096  # [byte] of Markdown
WHOLE: Final = 9.0  # [s] for the text and what follows it; less than the desk's own patience
PICTURE: Final = 2_000_000  # [byte] of a picture before it is encoded
MOBILE: Final = 11  # [1] digits at least; user ids that are all digits are shorter
CODES: Final = Codes(
    field="errcode",
    text="errmsg",
    haste=60.0,
    fast=frozenset({45009, 45033}),
    busy=frozenset({-1}),
    refused=frozenset({40008, 40009, 40058, 44004, 45002}),
    closed=frozenset({60020, 93000}),
)


@dataclass(frozen=True)
class Wecom:
    """One message a notice, and one more for its plot; those meant are mentioned by user id or mobile number."""

    key: str = field(repr=False, metadata={"secret": True})  # of the robot's webhook
    mention: tuple[str, ...] = ()  # user ids mentioned in notices that are meant for nobody by name; "@all": everybody
    image: bool = False  # send the plot of the evidence too, one message more, where the pace leaves room for it
    per_minute: Annotated[int, Between(2, 20)] = 20  # [message]
    reserve: int = 5  # [message] of them kept for RED
    url: str = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
    timeout: Seconds = 8.0  # [s]

    def __post_init__(self) -> None:
        peer.demand(url=self.url)
        minute(self.per_minute, self.reserve)

    @property
    def pace(self) -> Pace:
        return Pace((Window(self.per_minute, 60.0, self.reserve),), weight=2 if self.image else 1)

    @property
    def draws(self) -> bool:
        """Whether it needs plots."""
        return self.image

    def fits(self, notice: Notice) -> bool:
        return len(self._markdown(notice).encode()) <= SIZE

    async def send(self, notice: Notice) -> Outcome:
        """The text, then those who are mentioned by number, then the plot; only the text decides."""
        loop = asyncio.get_running_loop()
        begun, outcome = loop.time(), await self._post(self.body(notice), notice)
        if not isinstance(outcome, Sent):
            return outcome
        words = [outcome.words]
        try:
            async with asyncio.timeout_at(begun + WHOLE):  # what was told must not be told again for a picture
                for message in (self._by_number(notice), await self._plot(notice)):
                    if message is not None:
                        words.append(f"{message['msgtype']}: {(await self._post(message, notice)).words}")  # noqa: PERF401  kept if time runs out
        except TimeoutError:
            words.append("no time for the rest")
        return Sent("; ".join(words))

    async def close(self) -> None:
        await self._http.aclose()

    def body(self, notice: Notice) -> dict[str, Any]:
        return {"msgtype": "markdown", "markdown": {"content": markdown.fit(self._markdown(notice), SIZE)}}

    def _markdown(self, notice: Notice) -> str:
        meant = [a for a in notice.address.split(",") if a] or list(self.mention)
        mentions = " ".join(f"<{'' if m.startswith('@') else '@'}{m}>" for m in meant if not _number(m))
        head, _, rest = markdown.said(notice, gap="\n").partition("\n")
        return "\n".join(x for x in (head, mentions, rest) if x)

    def _by_number(self, notice: Notice) -> dict[str, Any] | None:
        """Markdown cannot mention by number; a short text can."""
        numbers = [a for a in notice.address.split(",") if _number(a)]
        text = {"content": notice.texts.zh_title[:600], "mentioned_mobile_list": numbers}
        return {"msgtype": "text", "text": text} if numbers else None

    async def _plot(self, notice: Notice) -> dict[str, Any] | None:
        png = await plot.png(notice.story) if self.image and notice.count == 1 and not notice.bare else None
        if png is None or len(png) > PICTURE:
            return None
        digest = hashlib.md5(png, usedforsecurity=False).hexdigest()
        return {"msgtype": "image", "image": {"base64": base64.b64encode(png).decode(), "md5": digest}}

    async def _post(self, message: dict[str, Any], notice: Notice) -> Outcome:
        content = msgspec.json.encode(message)
        headers = {"Content-Type": "application/json"}
        answer = await peer.ask(self._http, "POST", self.url, params={"key": self.key}, content=content, headers=headers)
        return answer if isinstance(answer, Retry) else read(answer, CODES, notice)

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        return peer.client(timeout=self.timeout)


def _number(text: str) -> bool:
    digits = text.removeprefix("+")
    return digits.isascii() and digits.isdigit() and len(digits) >= MOBILE
