"""What chat robots say: they answer 200 to nearly all, and only the code in the body tells how it went."""

import re
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec

from alerts import peer
from alerts.notice import Drop, Notice, Outcome, Retry, Sent
from alerts.pace import urgent

HASTE: Final = re.compile(r"too fast|too many|frequency|freq out|rate limit|限流|太快|频率", re.IGNORECASE)


@dataclass(frozen=True)
class Codes:
    """One provider's codes. What is in none of them is tried again, and a person is asked to look."""

    field: str  # of the body that holds the code; 0 is well
    text: str  # of the body that holds the reason
    haste: float  # [s] to wait after "too fast"
    fast: frozenset[int] = frozenset()
    busy: frozenset[int] = frozenset()  # the provider's own trouble
    refused: frozenset[int] = frozenset()  # this content, for ever
    closed: frozenset[int] = frozenset()  # key, signature or address list: a person can mend it
    also: tuple[str, ...] = ()  # older fields that hold the code where `field` is missing


def read(answer: httpx.Response, codes: Codes, notice: Notice) -> Outcome:
    """What an answer means. Without a code nothing is known: somebody else may have answered."""
    code, text = _code(answer, codes)
    said = peer.words(answer)
    if code is None or (code == 0 and not answer.is_success):
        status = peer.outcome(answer)
        return Retry(f"no {codes.field} in: {said}", "misdirected", person=True) if isinstance(status, Sent) else status
    if code == 0:
        return Sent(said)
    if code in codes.fast or HASTE.search(text):
        wait = peer.retry_after(answer)
        return Retry(said, "rateLimited", codes.haste if wait is None else wait, person=urgent(notice))
    if code in codes.busy:
        return Retry(said, "serverError")
    if code in codes.refused:
        return Drop(said, "clientError")
    return Retry(said, "authError" if code in codes.closed else "misdirected", person=True)


def _code(answer: httpx.Response, codes: Codes) -> tuple[int | None, str]:
    """The code and the reason in a body."""
    try:
        body: Any = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, ""
    if not isinstance(body, dict):
        return None, ""
    code = body.get(codes.field, next((body[name] for name in codes.also if name in body), None))
    if isinstance(code, bool) or not isinstance(code, int):
        return None, ""
    return code, str(body.get(codes.text, ""))
