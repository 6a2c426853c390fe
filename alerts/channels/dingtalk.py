"""A robot in a DingTalk group (钉钉自定义机器人): Markdown over a signed webhook."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Final
from urllib.parse import quote_plus, urlsplit

import httpx

from alerts import markdown, peer
from alerts.notice import Notice, Outcome, Retry
from alerts.pace import Pace, Window, minute, urgent
from alerts.robot import Codes, read
from lifeline.clock import now
from lifeline.config import Between, Seconds

SIZE: Final = 19_000  # [byte] of text; the provider refuses bodies over 20,000
CODES: Final = Codes(
    field="errcode",
    text="errmsg",
    haste=60.0,
    fast=frozenset({130101, 410100}),  # a robot that goes on in spite of it is muted for ten minutes
    busy=frozenset({-1}),
    refused=frozenset({400105, 430101, 430102, 430103, 430104}),
    closed=frozenset({40035, 310000, 300001, 300005, 400013, 400101, 400102, 400106}),
)


@dataclass(frozen=True)
class Dingtalk:
    """One message a notice; those meant are mentioned by their mobile numbers."""

    token: str = field(repr=False, metadata={"secret": True})  # access_token of the robot's webhook
    secret: str = field(default="", repr=False, metadata={"secret": True})  # of its signature (加签), SEC...; "": not signed
    at: tuple[str, ...] = ()  # mobile numbers mentioned in notices that are meant for nobody by name
    at_all: bool = False  # RED mentions everybody in the group
    per_minute: Annotated[int, Between(1, 20)] = 20  # [message]
    reserve: int = 5  # [message] of them kept for RED
    url: str = "https://oapi.dingtalk.com/robot/send"
    timeout: Seconds = 8.0  # [s]

    def __post_init__(self) -> None:
        peer.demand(url=self.url)
        minute(self.per_minute, self.reserve)

    @property
    def pace(self) -> Pace:
        return Pace((Window(self.per_minute, 60.0, self.reserve),))

    def fits(self, notice: Notice) -> bool:
        return len(markdown.said(notice).encode()) <= SIZE

    async def send(self, notice: Notice) -> Outcome:
        """POST once; the body of the answer says how it went."""
        answer = await peer.ask(self._http, "POST", self._signed(now() // 1_000_000), json=self.body(notice))
        return answer if isinstance(answer, Retry) else read(answer, CODES, notice)

    async def close(self) -> None:
        await self._http.aclose()

    def body(self, notice: Notice) -> dict[str, Any]:
        """The message. A mention works only where the number stands in the text too."""
        mobiles = [m for m in notice.address.split(",") if m] or list(self.at)
        text = markdown.said(notice)
        if notice.picture:
            text += f"\n\n![plot]({notice.picture})"
        if mobiles:
            text += "\n\n" + " ".join(f"@{m}" for m in mobiles)
        everybody = self.at_all and urgent(notice)
        return {
            "msgtype": "markdown",
            "markdown": {"title": notice.texts.zh_title, "text": markdown.fit(text, SIZE)},
            "at": {"atMobiles": mobiles, "isAtAll": everybody},
        }

    def _signed(self, ms: int) -> str:
        url = f"{self.url}{'&' if urlsplit(self.url).query else '?'}access_token={quote_plus(self.token)}"
        return f"{url}&timestamp={ms}&sign={quote_plus(sign(ms, self.secret))}" if self.secret else url

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        return peer.client(timeout=self.timeout)


def sign(ms: int, secret: str) -> str:
    """HMAC-SHA256 under the secret over the instant [ms] and the secret, in Base64."""
    said = hmac.new(secret.encode(), f"{ms}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(said.digest()).decode()
