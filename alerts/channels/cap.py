"""CAP 1.2 messages: as files in a folder, pushed to a receiver, and in a feed that the desk serves."""

import asyncio
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import httpx

from alerts import cap, cap_rules, peer
from alerts.notice import Drop, Notice, Outcome, Retry, Sent
from lifeline.config import Between, Seconds


@dataclass(frozen=True)
class Cap:
    """One message a change of level. It stands in the feed /f/CHANNEL/cap.atom as soon as it counts as sent."""

    sender: str  # who speaks, unique among all senders; without spaces, commas, < and &
    name: str  # of the office, for people
    folder: Path | None = None  # where messages are written, one file each; None: nowhere
    url: str = ""  # where they are posted; "": nowhere
    token: str = field(default="", repr=False, metadata={"secret": True})  # sent as "Authorization: Bearer ..."
    status: Literal["Actual", "Exercise", "System", "Test"] = "Actual"  # Test until the receivers say that they are ready
    scope: Literal["Public", "Restricted"] = "Restricted"
    restriction: str = "有关部门 / authorities"  # to whom, where the scope is Restricted
    contact: str = ""  # for those who have questions
    radius: Annotated[float, Between(0, 100)] = 0.2  # [km] of the circle about the asset
    public_url: str = "http://127.0.0.1:8087"  # of the desk, for links
    timeout: Seconds = 8.0  # [s]

    recalls: ClassVar[bool] = True  # updates name what went before
    publishes: ClassVar[bool] = True  # nothing of our own troubles

    def __post_init__(self) -> None:
        peer.demand(url=self.url)
        if not cap_rules.NAME.fullmatch(self.sender):
            raise ValueError(f"sender: {self.sender!r} is empty or holds a space, a comma, < or &; write desk@city.example")

    @property
    def office(self) -> cap.Office:
        restriction = self.restriction if self.scope == "Restricted" else ""
        return cap.Office(
            self.sender, self.name, self.status, self.scope, restriction, self.contact, self.radius, self.public_url
        )

    async def send(self, notice: Notice) -> Outcome:
        """Write, then post. The same message again has the same identifier."""
        if notice.person:
            return Drop("CAP tells the public, not a person; take this channel out of the person's contacts", "misconfigured")
        if not cap.publishable(notice):
            return Sent("nothing to publish: a reminder, a repetition, or the end of what was never published")
        xml = cap.message(notice, self.office)
        if wrong := cap_rules.problems(xml):
            return Drop(f"not a valid message: {'; '.join(wrong)}", "misconfigured")
        said = [f"in the feed: {cap.identifier(notice.story.warning, notice.story.version)}"]
        if self.folder:
            try:
                said.append(await asyncio.to_thread(self._write, notice, xml))
            except OSError as why:
                return Retry(str(why), "disk")
        if not self.url:
            return Sent("; ".join(said))
        answer = await peer.ask(self._http, "POST", self.url, content=xml)
        outcome = answer if isinstance(answer, Retry) else peer.outcome(answer)
        return Sent("; ".join([*said, outcome.words])) if isinstance(outcome, Sent) else outcome

    async def close(self) -> None:
        await self._http.aclose()

    def _write(self, notice: Notice, xml: bytes) -> str:
        """Whole or not at all: who watches the folder never sees half a message."""
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        name = cap.identifier(notice.story.warning, notice.story.version)
        path, half = self.folder / f"{name}.xml", self.folder / f".{name}.part"
        with half.open("wb") as file:
            file.write(xml)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
        return str(path)

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        headers = {"Content-Type": "application/cap+xml", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        return peer.client(timeout=self.timeout, headers=headers)
