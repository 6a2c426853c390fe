"""Short messages through the city's gateway (短信), whatever it is: its table says how it is asked and understood."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import httpx

from alerts import peer, receipts
from alerts.gateway import PLACE, Answers, Reports, filled, listed, shortened, unknown, values
from alerts.notice import Drop, Notice, Outcome, Retry
from alerts.pace import Pace, Window
from lifeline.config import Between, Seconds


@dataclass(frozen=True)
class Sms:
    """One request a notice. {names} in url, headers and body are filled in; in the URL they are quoted."""

    url: str = field(repr=False)  # it may hold a key
    success: Mapping[str, Any] = field(default_factory=dict)  # path in the answer -> its value, or a list of them
    body: dict[str, Any] | str = field(default="", repr=False)  # a table is sent as JSON or as a form, text as it is
    form: bool = False  # send the table as a form instead of JSON
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    to: tuple[str, ...] = ()  # numbers told of what is meant for nobody by name
    code: str = ""  # path of the gateway's code
    retry: tuple[str, ...] = ()  # codes after which the same again may go well
    drop: tuple[str, ...] = ()  # codes after which it never will
    reference: str = ""  # path of the gateway's name for the message, by which it reports
    longest: Annotated[int, Between(20)] = 300  # [1] characters of {text}
    per_minute: Annotated[int, Between(0)] = 0  # [message] that the gateway takes; 0: any number
    reports: Reports | None = None  # what it says later of whether a message arrived
    timeout: Seconds = 8.0  # [s]

    def __post_init__(self) -> None:
        peer.demand(url=PLACE.sub("0", self.url))
        wrong = [n for part in (self.url, self.body, self.headers) for n in unknown(part)]
        problems = [f"{{{name}}} stands for nothing; docs/channels.md lists the names" for name in dict.fromkeys(wrong)]
        if not self.success:
            problems.append("success: say which answer is success, such as success = { code = 0 }; 200 alone proves nothing")
        if len(self.to) > 1 and "{numbers}" not in f"{self.url}{self.body}":
            problems.append("to: several numbers, but neither url nor body has {numbers}")
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def pace(self) -> Pace | None:
        """What goes to one number may go together."""
        reserve = min(5, self.per_minute // 4)
        return Pace((Window(self.per_minute, 60.0, reserve),), apart=True) if self.per_minute else None

    def fits(self, notice: Notice) -> bool:
        return not shortened(notice, self.longest).endswith(("…", f"…{notice.link}"))

    async def send(self, notice: Notice) -> Outcome:
        """Ask the gateway once."""
        numbers = [a for a in notice.address.split(",") if a] or list(self.to)
        if not numbers:
            return Drop("nobody to tell: the notice names no number, and the table has no `to`", "misconfigured")
        said = values(notice, numbers, self.longest)
        answer = await peer.ask(self._http, self.method, filled(self.url, said, quoted=True), **self._content(said))
        names = (receipts.short(notice.id),) if self.reports else ()
        return answer if isinstance(answer, Retry) else self._answers.read(answer, names)

    async def close(self) -> None:
        await self._http.aclose()

    def _content(self, said: dict[str, str]) -> dict[str, Any]:
        body, headers = filled(self.body, said), filled(self.headers, said)
        if isinstance(body, str):
            return {"content": body.encode(), "headers": headers} if body else {"headers": headers}
        return {"data" if self.form else "json": body, "headers": headers}

    @cached_property
    def _answers(self) -> Answers:
        return Answers(listed(self.success), self.code, self.retry, self.drop, self.reference)

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        return peer.client(timeout=self.timeout)
