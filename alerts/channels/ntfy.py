"""Push to phones through an ntfy server, one's own or ntfy.sh: with a button that acknowledges."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import httpx
import msgspec

from alerts import alertmanager, peer
from alerts.markdown import fit
from alerts.notice import Notice, Outcome, Retry, Sent
from lifeline.config import Seconds

PRIORITY: Final = {"RED": 5, "ORANGE": 4, "YELLOW": 3, "BLUE": 2, "NORMAL": 3}  # 5 rings through silence
TAGS: Final = {
    "RED": "red_circle", "ORANGE": "orange_circle", "YELLOW": "yellow_circle", "BLUE": "blue_circle", "NORMAL": "green_circle",
}  # fmt: skip
SIZE: Final = 4000  # [byte]; longer texts become an attachment


@dataclass(frozen=True)
class Ntfy:
    """One message a notice. A person's address is a topic."""

    topic: str  # for what is meant for nobody by name; whoever knows it can read it
    url: str = "https://ntfy.sh"
    token: str = field(default="", repr=False, metadata={"secret": True})  # "": the topic is open
    public_url: str = "http://127.0.0.1:8087"  # of the desk, for links
    timeout: Seconds = 8.0  # [s]

    def __post_init__(self) -> None:
        peer.demand(url=self.url)

    async def send(self, notice: Notice) -> Outcome:
        """POST once. ntfy answers with the message, so that anybody else's 200 is no success."""
        answer = await peer.ask(self._http, "POST", self.url.rstrip("/"), content=msgspec.json.encode(self.body(notice)))
        if isinstance(answer, Retry):
            return answer
        outcome = peer.outcome(answer)
        if isinstance(outcome, Sent) and not _message(answer.content):
            return Retry(f"no message in: {outcome.words}", "misdirected", person=True)
        return outcome

    async def close(self) -> None:
        await self._http.aclose()

    def body(self, notice: Notice) -> dict[str, Any]:
        s = notice.story
        body: dict[str, Any] = {
            "topic": notice.address or self.topic,
            "title": notice.texts.zh_title,
            "message": fit(f"{notice.texts.zh}\n\n{notice.texts.en}", SIZE),
            "priority": PRIORITY.get(s.level, 3),
            "tags": [TAGS[s.level]] if s.level in TAGS else [],
            "click": notice.link or alertmanager.link(self.public_url, s.warning),
        }
        if notice.link:
            tap = {"action": "http", "label": "确认 Acknowledge", "url": notice.link, "method": "POST"}
            body["actions"] = [{**tap, "body": f"seen={s.version}", "clear": True}]
        if notice.picture:
            body["attach"] = notice.picture
        return body

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        return peer.client(timeout=self.timeout, headers=headers)


def _message(content: bytes) -> bool:
    """Whether it is ntfy's answer."""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(body, dict) and bool(body.get("id"))
