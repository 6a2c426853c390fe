"""One line of JSON for each notice, into a file or to stderr."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from alerts.notice import Notice, Outcome, Retry, Sent
from lifeline.clock import iso


@dataclass(frozen=True)
class Log:
    """For people who read logs, and for machines that collect them."""

    path: Path | None = None  # a file to append to; None: stderr

    async def send(self, notice: Notice) -> Outcome:
        """The line is on disk when this says Sent."""
        s = notice.story
        line = msgspec.json.encode({
            "event": "notice", "id": notice.id, "warning": s.warning, "what": s.what, "level": s.level, "before": s.before,
            "kind": s.kind, "domain": s.domain, "hazard": s.hazard, "district": s.district, "asset": s.asset,
            "onset": iso(s.onset), "t": iso(s.t), "latency_s": notice.latency,
            "exercise": notice.exercise, "person": notice.person, "zh": notice.texts.zh_title, "en": notice.texts.en_title,
        })  # fmt: skip
        try:
            await asyncio.to_thread(self._append, line + b"\n")
        except OSError as why:
            return Retry(str(why), "disk")
        return Sent(str(self.path or "stderr"))

    async def close(self) -> None:
        """Nothing is kept open."""

    def _append(self, line: bytes) -> None:
        if not self.path:
            sys.stderr.write(line.decode())
            sys.stderr.flush()
            return
        with self.path.open("ab", buffering=0) as file:  # one write a line: lines of several writers do not mix
            file.write(line)
            os.fsync(file.fileno())
