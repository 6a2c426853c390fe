"""HTTP POST in the shape of Alertmanager's webhook, version 4, with our own fields under "lifeline"."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
import msgspec

from alerts import alertmanager, peer, theirs
from alerts.notice import Notice, Outcome, Retry
from lifeline.clock import iso
from lifeline.config import Seconds


@dataclass(frozen=True)
class Webhook:
    """Anything that takes Alertmanager's webhooks."""

    url: str
    token: str = field(default="", repr=False, metadata={"secret": True})  # sent as "Authorization: Bearer ..."
    public_url: str = "http://127.0.0.1:8087"  # of the desk, for links
    verify: bool = True  # the server's certificate
    proxy: str = ""  # URL of an HTTP proxy; the environment's are not used, lest a notice to the next room takes a detour
    timeout: Seconds = 10.0  # [s] to connect, and between two bytes

    def __post_init__(self) -> None:
        if not self.url:
            raise ValueError(f"url: {self.url!r} is no http URL; write http://HOST[:PORT]/PATH or https://...")
        peer.demand(url=self.url, proxy=self.proxy)

    async def send(self, notice: Notice) -> Outcome:
        """POST once. The key in the header lets the receiver know a repetition."""
        headers = {"Idempotency-Key": notice.id, "Content-Type": "application/json"}
        content = msgspec.json.encode(body(notice, self.public_url))
        answer = await peer.ask(self._http, "POST", self.url, content=content, headers=headers)
        return answer if isinstance(answer, Retry) else peer.outcome(answer)

    async def close(self) -> None:
        await self._http.aclose()

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return peer.client(timeout=self.timeout, verify=self.verify, proxy=self.proxy, headers=headers)


def body(notice: Notice, public_url: str) -> dict[str, Any]:
    """The JSON that is posted."""
    s, texts = notice.story, notice.texts
    facts = msgspec.to_builtins(s)
    alert = {
        "status": "resolved" if notice.ended else "firing",
        "labels": theirs.labels(s),
        "annotations": theirs.annotations(s, zh=texts.zh_title, en=texts.en_title, description=texts.en),
        "startsAt": iso(s.onset),
        "endsAt": alertmanager.UNSET if s.ended is None else iso(s.ended),
        "generatorURL": theirs.source(s, public_url),
        "fingerprint": s.warning,
    }
    group = f'{{}}:{{warning="{s.warning}"}}'
    ours = {"id": notice.id, "latency_s": notice.latency, "place": {"lat": s.lat, "lon": s.lon}, "texts": texts, **facts}
    ours["exercise"] = notice.exercise
    if notice.person:
        ours |= {"person": notice.person, "address": notice.address, "link": notice.link}
    return {
        **alertmanager.webhook(alert, receiver=notice.channel, group=group, firing=not notice.ended, public_url=public_url),
        "lifeline": ours,
    }
