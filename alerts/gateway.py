"""Anybody's HTTP gateway, described by its table: what is asked, which answers are success, which reports may follow."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx
import msgspec

from alerts import peer, receipts
from alerts.notice import Drop, Notice, Outcome, Retry, Sent
from alerts.texts import LEVELS, WHAT, hazard
from lifeline.clock import iso
from lifeline.kinds import Secret

PLACE: Final = re.compile(r"\{(\w+)(?:!([ju]))?\}")
NAMES: Final = frozenset(
    (
        "number", "numbers", "text", "title", "zh", "en", "speech", "link", "id", "ref", "level", "zh_level", "what", "zh_what",
        "hazard", "zh_hazard", "domain", "city", "district", "asset", "owner", "time", "warning",
    )
)  # fmt: skip
QUIET: Final = str.maketrans({"【": "", "】": "，", "·": "", "：": "，"})


@dataclass(frozen=True)
class Reports:
    """What a gateway reports later, to POST /api/v1/receipts/CHANNEL. Statuses may hold * and ?."""

    secret: Secret  # that proves who reports
    name: str  # path of our or the gateway's name for the message
    status: str  # path of what became of it
    delivered: tuple[str, ...]  # statuses: it arrived
    failed: tuple[str, ...] = ("*",)  # it did not, and may the next time; "*": all others
    never: tuple[str, ...] = ()  # it did not and will not, such as a number that does not exist
    words: str = ""  # path of the reason
    many: str = ""  # path of the list of reports; "": the body is the list, or one report
    proof: Literal["bearer", "query", "hmac"] = "bearer"  # query: ?secret=...; hmac: SHA-256 over the body, in hexadecimal
    header: str = "X-Signature"  # that holds the HMAC


@dataclass(frozen=True)
class Answers:
    """Which answers mean what."""

    success: Mapping[str, tuple[str, ...]]  # path -> values, all of which must be there
    code: str  # path of the code
    retry: tuple[str, ...]
    drop: tuple[str, ...]
    reference: str  # path of the gateway's name for the message

    def read(self, answer: httpx.Response, names: tuple[str, ...] = ()) -> Outcome:
        """What an answer means. A code that is in no list is tried again, and a person is asked to look.

        names: of our own, by which the gateway may report.
        """
        try:
            body: Any = msgspec.json.decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            body = None
        said = peer.words(answer)
        if answer.is_success and all(matches(_at(answer, body, path), values) for path, values in self.success.items()):
            given = pick(body, self.reference) if self.reference else None
            return Sent(said, (*([] if given is None else [str(given)]), *names))
        code = _at(answer, body, self.code) if self.code else None
        if code is not None and matches(code, self.drop):
            return Drop(said, "clientError")
        if code is not None and matches(code, self.retry):
            return Retry(said, "serverError", peer.retry_after(answer))
        status = peer.outcome(answer)
        return Retry(said, "misdirected", person=True) if isinstance(status, Sent) else status


def _at(answer: httpx.Response, body: Any, path: str) -> Any:
    """A value of the answer; the path "" is its whole text, for gateways that speak no JSON."""
    return pick(body, path) if path else answer.text.strip()


def pick(body: Any, path: str) -> Any:
    """The value at a path such as `data.0.code`; None where there is none."""
    for part in path.split("."):
        if isinstance(body, list) and part.isascii() and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        elif isinstance(body, dict):
            body = body.get(part)
        else:
            return None
    return body


def matches(value: Any, patterns: Iterable[str]) -> bool:
    """Whether a value is one of those named; truth values are written true and false."""
    if value is None or isinstance(value, dict | list):
        return False
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def listed(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Path -> values, from a table in which one value may stand without a list."""
    return {path: tuple(map(_plain, v if isinstance(v, list | tuple) else [v])) for path, v in values.items()}


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def unknown(template: Any) -> list[str]:
    """Names in {braces} that stand for nothing."""
    if isinstance(template, Mapping):
        return [name for v in template.values() for name in unknown(v)]
    if isinstance(template, list | tuple):
        return [name for v in template for name in unknown(v)]
    return [m[1] for m in PLACE.finditer(template) if m[1] not in NAMES] if isinstance(template, str) else []


def filled(template: Any, values: Mapping[str, str], *, quoted: bool = False) -> Any:
    """A template with its names filled in, however deep. {name!j}: as inside of a JSON text, {name!u}: as in a URL."""
    if isinstance(template, Mapping):
        return {key: filled(v, values, quoted=quoted) for key, v in template.items()}
    if isinstance(template, list | tuple):
        return [filled(v, values, quoted=quoted) for v in template]
    if not isinstance(template, str):
        return template

    def say(found: re.Match[str]) -> str:
        value = values[found[1]]
        if found[2] == "j":
            return msgspec.json.encode(value).decode()[1:-1]
        return quote(value, safe="") if quoted or found[2] == "u" else value

    return PLACE.sub(say, template)


def values(notice: Notice, numbers: Iterable[str], longest: int) -> dict[str, str]:
    """What may stand in a template."""
    s, texts, all_ = notice.story, notice.texts, tuple(numbers)
    level, named = LEVELS.get(s.level, (s.level, s.level)), hazard(s.hazard)
    return {
        "number": all_[0], "numbers": ",".join(all_), "text": shortened(notice, longest), "title": texts.zh_title,
        "zh": texts.zh, "en": texts.en, "speech": spoken(notice), "link": notice.link, "id": notice.id,
        "ref": receipts.short(notice.id), "level": level[1], "zh_level": level[0], "what": WHAT[s.what][1],
        "zh_what": WHAT[s.what][0], "hazard": named[1], "zh_hazard": named[0], "domain": s.domain, "city": s.city,
        "district": s.district, "asset": s.asset, "owner": s.owner, "time": iso(s.onset), "warning": s.warning,
    }  # fmt: skip


def shortened(notice: Notice, longest: int) -> str:
    """The Chinese text in one line of at most so many characters; where it is cut, the link stays."""
    text = "；".join(line for line in notice.texts.zh.split("\n") if line)
    if len(text) <= longest:
        return text
    tail = f"…{notice.link}" if notice.link else "…"
    return text[: max(0, longest - len(tail))] + tail


def spoken(notice: Notice) -> str:
    """The Chinese title as it is read out: without brackets, and RED twice."""
    said = notice.texts.zh_title.translate(QUIET)
    return f"{said}。重复一遍，{said}。" if notice.story.level == "RED" else f"{said}。"
