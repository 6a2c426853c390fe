"""Plots kept with Feishu or Lark, so that a card can show them: uploaded by an app of the tenant, once for each version."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec

from alerts import peer, plot
from alerts.notice import Retry, Story
from lifeline.clock import now
from lifeline.model import NS

WHOLE: Final = 3.0  # [s] for drawing and uploading together: a notice waits no longer
LARGEST: Final = 10_000_000  # [byte] of a picture
EARLY: Final = 300  # [s] before a token's end at which another is asked for
KEPT: Final = 64  # [1] keys
EXPIRED: Final = frozenset({99991661, 99991663, 99991664, 99991668})  # codes: the token is none, or no longer one
Key = tuple[str, int]  # warning, version


class Failed(Exception):
    """A plot that cannot be shown, and why."""


@dataclass
class Album:
    """Asks for a token and uploads. What it remembers only saves requests."""

    host: str
    app_id: str
    app_secret: str = field(repr=False)
    http: httpx.AsyncClient
    _token: str = field(default="", init=False, repr=False)
    _until: int = field(default=0, init=False)  # [ns]
    _keys: dict[Key, str] = field(default_factory=dict, init=False)

    async def key(self, story: Story) -> tuple[str, str]:
        """(name of the plot with the provider, what went wrong): one of them is empty; both where there is nothing to draw."""
        if not plot.drawable(story):
            return "", ""
        try:
            async with asyncio.timeout(WHOLE):
                return await self._key(story), ""
        except TimeoutError:
            return "", f"not in {WHOLE:g} s"
        except Failed as why:
            return "", str(why)

    async def _key(self, story: Story) -> str:
        name = (story.warning, story.version)
        if name not in self._keys:
            png = await plot.png(story)
            if png is None or len(png) > LARGEST:
                raise Failed("none" if png is None else f"{len(png)} bytes")
            made = await self._uploaded(png)
            self._keys = dict([*self._keys.items(), (name, made)][-KEPT:])
        return self._keys[name]

    async def _uploaded(self, png: bytes) -> str:
        headers = {"Authorization": f"Bearer {await self._let_in()}"}
        form: dict[str, Any] = {"data": {"image_type": "message"}, "files": {"image": ("plot.png", png, "image/png")}}
        said = await self._asked("/open-apis/im/v1/images", headers=headers, **form)
        key = said.get("data", {}).get("image_key") if isinstance(said.get("data"), dict) else None
        if not isinstance(key, str):
            raise Failed("no image_key in the answer")
        return key

    async def _let_in(self) -> str:
        """The app's token, kept until shortly before its end."""
        if now() >= self._until:
            body = {"app_id": self.app_id, "app_secret": self.app_secret}
            said = await self._asked("/open-apis/auth/v3/tenant_access_token/internal", json=body)
            token, life = said.get("tenant_access_token"), said.get("expire")
            if not isinstance(token, str) or not isinstance(life, int):
                raise Failed("no token in the answer")
            self._token, self._until = token, now() + max(0, life - EARLY) * NS
        return self._token

    async def _asked(self, path: str, **more: Any) -> dict[str, Any]:
        """The body of an answer whose code is 0; its words hold no secret."""
        answer = await peer.ask(self.http, "POST", f"{self.host}{path}", **more)
        if isinstance(answer, Retry):
            raise Failed(answer.words)
        try:
            said = msgspec.json.decode(answer.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as why:
            raise Failed(peer.words(answer)) from why
        if said.get("code") in EXPIRED:
            self._until = 0
        if said.get("code") != 0:
            raise Failed(peer.words(answer))
        return said
