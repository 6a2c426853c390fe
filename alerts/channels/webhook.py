"""HTTP POST in the shape of Alertmanager's webhook, version 4, with our own fields under "lifeline"."""

from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from alerts import alertmanager
from alerts.notice import Drop, Notice, Outcome, Retry, Sent
from lifeline.clock import iso, now
from lifeline.config import Seconds
from lifeline.model import NS

FINAL = {400, 410, 413, 415, 422, 431}  # the receiver knows us and will not have this notice
SOON = {408, 409, 423, 425, 429}  # passes by itself
CLOSED = {401, 403, 407}


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
        for name, text in (("url", self.url), ("proxy", self.proxy)):
            if (name == "url" or text) and (reason := _unusable(text)):
                raise ValueError(f"{name}: {text!r} {reason}; write http://HOST[:PORT]/PATH or https://...")

    async def send(self, notice: Notice) -> Outcome:
        """POST once. The key in the header lets the receiver know a repetition."""
        headers = {"Idempotency-Key": notice.id, "Content-Type": "application/json"}
        try:
            answer = await self._http.post(
                self.url, content=msgspec.json.encode(body(notice, self.public_url)), headers=headers
            )
        except httpx.TimeoutException as why:
            return Retry(f"{type(why).__name__}: {why}", "timeout")
        except httpx.HTTPError as why:
            return Retry(f"{type(why).__name__}: {why}", "connection")
        return outcome(answer)

    async def close(self) -> None:
        await self._http.aclose()

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return httpx.AsyncClient(
            headers=headers, verify=self.verify, timeout=self.timeout, proxy=self.proxy or None, trust_env=False
        )


def _unusable(text: str) -> str:
    """Why a URL cannot be used; empty when it can."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as why:
        return f"is no URL ({why})"
    if url.scheme not in {"http", "https"} or not url.host:
        return "is no http URL"
    return "has a port beyond 65535" if (url.port or 0) > 65535 else ""


def outcome(answer: httpx.Response) -> Outcome:
    """What an HTTP answer means for a notice.

    Given up is only what the receiver refuses for its content. A login, a path or a redirect can be mended while we try;
    redirects are not followed, lest a warning goes where nobody configured.
    """
    status = answer.status_code
    words = f"{status} {answer.text[:400]}".strip()
    if answer.is_success:
        return Sent(words)
    if status in FINAL:
        return Drop(words, "clientError")
    if status in SOON or answer.is_server_error:
        return Retry(words, "rateLimited" if status == HTTPStatus.TOO_MANY_REQUESTS else "serverError", retry_after(answer))
    if status in CLOSED:
        return Retry(words, "authError", retry_after(answer), person=True)
    goal = answer.headers.get("Location", "")
    return Retry(f"{words} -> {goal}" if goal else words, "misdirected", retry_after(answer), person=True)


def retry_after(answer: httpx.Response) -> float | None:
    """The header in either of its forms, seconds or a date; None where it is missing or unreadable. [s]"""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now() / NS)


def body(notice: Notice, public_url: str) -> dict[str, Any]:
    """The JSON that is posted."""
    s, texts = notice.story, notice.texts
    facts = msgspec.to_builtins(s)
    alert = {
        "status": "resolved" if notice.ended else "firing",
        "labels": alertmanager.labels(facts),
        "annotations": alertmanager.annotations(zh=texts.zh_title, en=texts.en_title, description=texts.en),
        "startsAt": iso(s.onset),
        "endsAt": alertmanager.UNSET if s.ended is None else iso(s.ended),
        "generatorURL": alertmanager.link(public_url, s.warning),
        "fingerprint": s.warning,
    }
    group = f'{{}}:{{warning="{s.warning}"}}'
    ours = {"id": notice.id, "latency_s": notice.latency, "place": {"lat": s.lat, "lon": s.lon}, "texts": texts, **facts}
    return {
        **alertmanager.webhook(alert, receiver=notice.channel, group=group, firing=not notice.ended, public_url=public_url),
        "lifeline": ours,
    }
