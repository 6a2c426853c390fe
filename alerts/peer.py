"""The other end of an HTTP channel: a client, one request, and what an answer's status means for a notice."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final

import httpx

from alerts.notice import Drop, Outcome, Retry, Sent
from lifeline.clock import now
from lifeline.model import NS

FINAL: Final = {400, 410, 413, 415, 422, 431}  # the receiver knows us and will not have this notice
SOON: Final = {408, 409, 423, 425, 429}  # passes by itself
CLOSED: Final = {401, 403, 407}
WORDS: Final = 400  # [1] characters kept of an answer


def client(*, timeout: float, verify: bool = True, proxy: str = "", headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """timeout [s] to connect, and between two bytes. The environment's proxies are not used, lest a notice takes a detour."""
    return httpx.AsyncClient(headers=headers, verify=verify, timeout=timeout, proxy=proxy or None, trust_env=False)


async def ask(http: httpx.AsyncClient, method: str, url: str, **more: Any) -> httpx.Response | Retry:
    """One request; Retry where nobody answered."""
    try:
        return await http.request(method, url, **more)
    except httpx.TimeoutException as why:
        return Retry(f"{type(why).__name__}: {why}", "timeout")
    except httpx.HTTPError as why:
        return Retry(f"{type(why).__name__}: {why}", "connection")


def demand(**urls: str) -> None:
    """ValueError for a setting that must be an http URL and is none; an empty one is left out."""
    for name, text in urls.items():
        if reason := text and unusable(text):
            raise ValueError(f"{name}: {text!r} {reason}; write http://HOST[:PORT]/PATH or https://...")


def unusable(text: str) -> str:
    """Why a URL cannot be used; empty when it can."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as why:
        return f"is no URL ({why})"
    if url.scheme not in {"http", "https"} or not url.host:
        return "is no http URL"
    return "has a port beyond 65535" if (url.port or 0) > 65535 else ""


def public(url: str) -> bool:
    """Whether a provider on the internet could fetch it: its host is neither local nor in a private network."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".lan", ".localhost"))


def outcome(answer: httpx.Response) -> Outcome:
    """What an HTTP answer means for a notice.

    Given up is only what the receiver refuses for its content. A login, a path or a redirect can be mended while we try;
    redirects are not followed, lest a warning goes where nobody configured.
    """
    status = answer.status_code
    said = words(answer)
    if answer.is_success:
        return Sent(said)
    if status in FINAL:
        return Drop(said, "clientError")
    if status in SOON or answer.is_server_error:
        return Retry(said, "rateLimited" if status == HTTPStatus.TOO_MANY_REQUESTS else "serverError", retry_after(answer))
    if status in CLOSED:
        return Retry(said, "authError", retry_after(answer), person=True)
    goal = answer.headers.get("Location", "")
    return Retry(f"{said} -> {goal}" if goal else said, "misdirected", retry_after(answer), person=True)


def words(answer: httpx.Response) -> str:
    """The status and the beginning of the body."""
    return f"{answer.status_code} {answer.text[:WORDS]}".strip()


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
