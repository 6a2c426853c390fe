"""Alerts pushed to a Prometheus Alertmanager (API v2), for those who have their routes there."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import httpx
import msgspec

from alerts import peer, theirs
from alerts.notice import Drop, Notice, Outcome, Retry, What
from lifeline.clock import iso
from lifeline.config import Seconds
from lifeline.model import NS, Level


@dataclass(frozen=True)
class Alertmanager:
    """One alert a notice. A change of level is another alert there, so the one before is ended in the same request."""

    url: str  # of the Alertmanager, without /api/v2/alerts
    token: str = field(default="", repr=False, metadata={"secret": True})  # sent as "Authorization: Bearer ..."
    public_url: str = "http://127.0.0.1:8087"  # of the desk, for links
    stands: Seconds = 7 * 86_400.0  # [s] that an alert stands there when nothing more is said of it
    verify: bool = True  # the server's certificate
    timeout: Seconds = 8.0  # [s]

    def __post_init__(self) -> None:
        peer.demand(url=self.url)

    async def send(self, notice: Notice) -> Outcome:
        """POST once; Alertmanager knows the same alert by its labels."""
        if notice.person:
            return Drop("Alertmanager has routes of its own; take this channel out of the person's contacts", "misconfigured")
        url, content = f"{self.url.rstrip('/')}/api/v2/alerts", msgspec.json.encode(self.alerts(notice))
        answer = await peer.ask(self._http, "POST", url, content=content, headers={"Content-Type": "application/json"})
        return answer if isinstance(answer, Retry) else peer.outcome(answer)

    async def close(self) -> None:
        await self._http.aclose()

    def alerts(self, notice: Notice) -> list[dict[str, Any]]:
        """What stands now, and what stood before, ended."""
        s, now = notice.story, []
        if s.ended is None:
            now = [self._alert(notice, s.level, s.kind, s.made + round(self.stands * NS))]
        if s.before == Level.NORMAL.name or s.what is What.OVERDUE:
            return now
        return [*now, self._alert(notice, s.before, s.was or s.kind, s.t if s.ended is None else s.ended)]

    def _alert(self, notice: Notice, level: str, kind: str, ends: int) -> dict[str, Any]:
        """ends [ns]"""
        s, texts = notice.story, notice.texts
        labels = theirs.labels(s, severity=level, kind=kind)  # by these a change of level is another alert there
        if notice.exercise:
            labels["exercise"] = "true"
        return {
            "labels": {name: value for name, value in labels.items() if value},  # an empty label is none there
            "annotations": theirs.annotations(s, zh=texts.zh_title, en=texts.en_title, description=texts.en),
            "startsAt": iso(s.onset),
            "endsAt": iso(ends),
            "generatorURL": theirs.source(s, self.public_url),
        }

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return peer.client(timeout=self.timeout, verify=self.verify, headers=headers)
