"""Log events as keys and values, one line each."""

import logging
import sys
from typing import Any, Final

from lifeline.clock import iso, now

PLAIN: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


class Lines(logging.Formatter):
    """2026-01-02T03:04:05.678Z WARNING lifeline.mqtt connection ended why="refused" again_s=1.2"""

    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{k}={_value(v)}" for k, v in record.__dict__.items() if k not in PLAIN)
        line = f"{iso(now())} {record.levelname} {record.name} {record.getMessage()} {extra}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _value(value: Any) -> str:
    text = str(value)
    return text if text.isalnum() else '"' + text.replace('"', "'").replace("\n", " ") + '"'


def start(level: int = logging.INFO) -> None:
    """Log to standard error."""
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(Lines())
    logging.basicConfig(level=level, handlers=[out], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
