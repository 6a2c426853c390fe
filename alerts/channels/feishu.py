"""A custom bot in a Feishu or Lark group (飞书自定义机器人): a card whose head has the colour of the level."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Final

import httpx
import msgspec

from alerts import markdown, peer
from alerts.album import Album
from alerts.notice import Notice, Outcome, Retry
from alerts.pace import Pace, Window, minute, urgent
from alerts.robot import Codes, read
from lifeline.clock import now
from lifeline.config import Between, Seconds
from lifeline.model import NS

SIZE: Final = 20_000  # [byte] of a whole request
TEXT: Final = 16_000  # [byte] of text in it
HEADS: Final = {"RED": "red", "ORANGE": "orange", "YELLOW": "yellow", "BLUE": "blue", "NORMAL": "green"}
CODES: Final = Codes(
    field="code",
    text="msg",
    haste=60.0,
    fast=frozenset({11232, 99991400}),
    busy=frozenset({2200}),
    refused=frozenset({9499, 19002, 200621}),  # 9499 with words of haste in it is haste
    closed=frozenset({19001, 19021, 19022, 19024}),
    also=("StatusCode",),
)


@dataclass(frozen=True)
class Feishu:
    """One card a notice, with a button to acknowledge; those meant are mentioned by open id or user id."""

    token: str = field(repr=False, metadata={"secret": True})  # the last part of the bot's webhook
    secret: str = field(default="", repr=False, metadata={"secret": True})  # of its signature check; "": not signed
    mention: tuple[str, ...] = ()  # ids mentioned in notices that are meant for nobody by name; "all": everybody
    host: str = "https://open.feishu.cn"  # Lark: https://open.larksuite.com
    per_minute: Annotated[int, Between(1, 100)] = 100  # [message]
    reserve: int = 20  # [message] of them kept for RED
    app_id: str = ""  # of an app of the same tenant, which uploads plots into the cards; "": they are linked
    app_secret: str = field(default="", repr=False, metadata={"secret": True})
    timeout: Seconds = 8.0  # [s]

    def __post_init__(self) -> None:
        peer.demand(host=self.host)
        if bool(self.app_id) != bool(self.app_secret):
            raise ValueError("app_id, app_secret: one is given without the other")
        minute(self.per_minute, self.reserve)

    @property
    def pace(self) -> Pace:
        return Pace((Window(self.per_minute, 60.0, self.reserve), Window(5, 1.0, 1)))

    @property
    def draws(self) -> bool:
        """Whether it needs plots."""
        return bool(self.app_id)

    def fits(self, notice: Notice) -> bool:
        return len(self._text(notice).encode()) <= TEXT

    async def send(self, notice: Notice) -> Outcome:
        """POST once; the body of the answer says how it went. A plot that cannot be uploaded in time is linked."""
        url = f"{self.host.rstrip('/')}/open-apis/bot/v2/hook/{self.token}"
        key, trouble = await self._album.key(notice.story) if self.app_id and notice.count == 1 else ("", "")
        content = msgspec.json.encode(self.body(notice, now() // NS, key))
        answer = await peer.ask(self._http, "POST", url, content=content, headers={"Content-Type": "application/json"})
        outcome = answer if isinstance(answer, Retry) else read(answer, CODES, notice)
        return replace(outcome, words=f"{outcome.words}; plot: {trouble}") if trouble else outcome

    async def close(self) -> None:
        await self._http.aclose()

    def body(self, notice: Notice, seconds: int, picture: str = "") -> dict[str, Any]:
        """The message as it is at an instant [s], which is part of the signature. picture: key of an uploaded plot"""
        title = {"tag": "plain_text", "content": notice.texts.zh_title}
        elements: list[dict[str, Any]] = [{"tag": "markdown", "content": markdown.fit(self._text(notice), TEXT)}]
        buttons = [_button("确认 Acknowledge", notice.link, "danger" if urgent(notice) else "primary")] if notice.link else []
        buttons += [_button("曲线 Plot", notice.picture, "default")] if notice.picture and not picture else []
        if picture:
            elements.append({"tag": "img", "img_key": picture, "alt": {"tag": "plain_text", "content": "曲线 Plot"}})
        if buttons:
            elements.append({"tag": "action", "actions": buttons})
        head = {"title": title, "template": HEADS.get(notice.story.level, "grey")}
        card = {"config": {"wide_screen_mode": True}, "header": head, "elements": elements}
        signed = {"timestamp": str(seconds), "sign": sign(seconds, self.secret)} if self.secret else {}
        return {**signed, "msg_type": "interactive", "card": card}

    def _text(self, notice: Notice) -> str:
        meant = [a for a in notice.address.split(",") if a] or list(self.mention)
        _, _, text = markdown.said(notice, gap="\n").partition("\n")  # the first line is the card's head
        return "\n".join(x for x in (" ".join(f"<at id={m}></at>" for m in meant), text) if x)

    @cached_property
    def _album(self) -> Album:
        return Album(self.host.rstrip("/"), self.app_id, self.app_secret, self._http)

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        return peer.client(timeout=self.timeout)


def _button(text: str, url: str, kind: str) -> dict[str, Any]:
    return {"tag": "button", "text": {"tag": "plain_text", "content": text}, "type": kind, "url": url}


def sign(seconds: int, secret: str) -> str:
    """HMAC-SHA256 of nothing, under the instant [s] and the secret, in Base64."""
    return base64.b64encode(hmac.new(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256).digest()).decode()
