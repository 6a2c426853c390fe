"""Log events as keys and values, one line each: text for people, JSON for machines. No secret, and no flood."""

import logging
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from lifeline.clock import iso, now
from lifeline.config import Config, Secret
from lifeline.model import NS

PLAIN: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}
OWN: Final = frozenset({"time", "level", "process", "logger", "event", "exception"})  # keys of every line
LEAST: Final = 6  # [characters] of what is hidden wherever it stands; shorter ones would hide words
TELLING: Final = re.compile(r"token|secret|password|passwd|authorization|credential|(^|_)(key|pin)$", re.IGNORECASE)
SHAPES: Final = (
    (re.compile(r"(://[^/\s:@]*:)[^@\s/]+@"), r"\1…@"),  # a password in an address
    (re.compile(r"((?:token|secret|password|sign|key)=)[^&\s\"']+", re.IGNORECASE), r"\1…"),  # and in a query
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), r"\1 …"),
    (re.compile(r"\bll_[0-9a-f]+_[\w-]+"), "ll_…"),  # tokens of the desk
)
FREE: Final = 3  # [1] equal warnings or errors that are told one by one
WINDOW: Final = 60 * NS  # [ns] in which further ones are only counted
LOOK: Final = 5 * NS  # [ns] between looks for what is over
KEPT: Final = 1000  # [1] different ones remembered, or so


def secrets(value: Any, name: str = "") -> Iterator[str]:
    """What must not show: secrets of the settings, and texts under a telling name in the tables of channels."""
    if is_dataclass(value):
        for f in fields(value):
            yield from secrets(getattr(value, f.name), f.name)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from secrets(inner, str(key))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from secrets(inner, name)
    elif isinstance(value, str) and len(value) >= LEAST and (isinstance(value, Secret) or TELLING.search(name)):
        yield value


class Hider:
    """Takes secrets out of a line."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        found = sorted(set(known), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, found))) if found else None

    def __call__(self, line: str) -> str:
        if self._known is not None:
            line = self._known.sub("…", line)
        for shape, instead in SHAPES:
            line = shape.sub(instead, line)
        return line


class Lines(logging.Formatter):
    """2026-01-02T03:04:05.678Z WARNING lifeline.mqtt connection ended why="refused" again_s=1.2"""

    def __init__(self, hide: Hider | None = None) -> None:
        super().__init__()
        self._hide = hide or Hider()

    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{k}={_value(v)}" for k, v in record.__dict__.items() if k not in PLAIN)
        line = f"{iso(now())} {record.levelname} {record.name} {record.getMessage()} {extra}".rstrip()
        return self._hide(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


class Objects(logging.Formatter):
    """{"time": "2026-01-02T03:04:05.678901234Z", "level": "warning", "process": "receive", "event": "connection ended", …}"""

    def __init__(self, process: str, hide: Hider | None = None) -> None:
        super().__init__()
        self._process, self._hide = process, hide or Hider()

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": instant(now()), "level": record.levelname.lower(), "process": self._process, "logger": record.name,
            "event": self._hide(record.getMessage()),
        }  # fmt: skip
        for key, value in record.__dict__.items():
            if key not in PLAIN:
                told[f"{key}_" if key in OWN else key] = self._plain(value)
        if record.exc_info:
            told["exception"] = self._hide(self.formatException(record.exc_info))
        return msgspec.json.encode(told).decode()

    def _plain(self, value: Any) -> Any:
        """As JSON has it; what it does not have becomes text, and no text tells a secret."""
        if isinstance(value, bool | int | None):
            return value if value is None or abs(value) < 1 << 63 else str(value)
        if isinstance(value, float):
            return value if abs(value) < float("inf") else str(value)
        if isinstance(value, Mapping):
            return {str(k): self._plain(v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._plain(v) for v in value]
        return self._hide(str(value).encode("utf-8", "backslashreplace").decode())


def instant(t: int) -> str:
    """RFC 3339 in UTC with all nanoseconds. t [ns]"""
    return f"{datetime.fromtimestamp(t // NS, UTC):%Y-%m-%dT%H:%M:%S}.{t % NS:09d}Z"


def _value(value: Any) -> str:
    text = str(value)
    return text if text.isalnum() else '"' + text.replace('"', "'").replace("\n", " ") + '"'


class Flood(logging.Filter):
    """Of equal warnings and errors the first few of a minute pass; after it a line says how many did not."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[Any, ...], list[int]] = {}  # what -> [when it began [ns], how many since]
        self._look = 0  # [ns] when to look again for what is over

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is told."""
        t = now()
        if t >= self._look:
            self._settle(t)
        if record.levelno < logging.WARNING:
            return True
        begun = self._seen.setdefault(_what(record), [t, 0])
        begun[1] += 1
        return begun[1] <= FREE

    def _settle(self, t: int) -> None:
        """Forget what began long ago, and say of it how many were not told. t [ns]"""
        self._look = t + LOOK
        over = [(what, n) for what, (began, n) in list(self._seen.items()) if t - began > WINDOW or len(self._seen) > KEPT]
        for what, n in over:
            del self._seen[what]
            if n > FREE:
                logging.getLogger(what[0]).log(what[1], "%s", what[2], extra={"repeated": n - FREE})


def _what(record: logging.LogRecord) -> tuple[Any, ...]:
    """What makes two events equal: all but numbers, which grow while the trouble stays the same."""
    extra = {k: v for k, v in record.__dict__.items() if k not in PLAIN and not isinstance(v, int | float)}
    kind = record.exc_info[0] if record.exc_info else None
    return record.name, record.levelno, record.getMessage(), kind, str(sorted(extra.items(), key=lambda x: x[0]))


def start(process: str = "lifeline", config: Config | None = None) -> None:
    """Log to standard error, everything: ours, the libraries', warnings of Python and what ends a thread or the process."""
    style, hide = (config.log.format, Hider(secrets(config))) if config else ("console", Hider())
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(Objects(process, hide) if style == "json" else Lines(hide))
    out.addFilter(Flood())
    level = config.log.level.upper() if config else "INFO"
    logging.basicConfig(level=level, handlers=[out], force=True)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # they have handlers of their own where others set them up
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.captureWarnings(capture=True)
    sys.excepthook = lambda kind, why, where: _fatal(process, kind, why, where)
    threading.excepthook = lambda a: _fatal(a.thread.name if a.thread else process, a.exc_type, a.exc_value, a.exc_traceback)


def _fatal(who: str, kind: Any, why: Any, where: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, why, where)
    elif not issubclass(kind, SystemExit):
        logging.getLogger("lifeline").critical("ended by a defect", exc_info=(kind, why, where), extra={"who": who})
