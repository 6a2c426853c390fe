"""Warnings republished over MQTT: for sirens, screens and other systems of the city."""

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Final, Literal

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from alerts import receipts
from alerts.notice import Drop, Notice, Outcome, Retry, Sent
from lifeline.config import Port, Seconds

PLACE: Final = re.compile(r"\{(\w+)\}")
NAMES: Final = frozenset({"city", "district", "domain", "asset", "hazard", "warning", "level", "kind"})
FORBIDDEN: Final = re.compile(r"[/+#\0]")
CLOSED: Final = {4, 5, 134, 135}  # CONNACK and PUBACK: bad login, not authorised


@dataclass(frozen=True)
class Mqtt:
    """One connection and one message a notice, with QoS 1: sent is what the broker has acknowledged."""

    host: str
    port: Port = 1883
    topic: str = "lifeline/v1/{city}/{domain}/{asset}/warning/{hazard}"  # names in braces are filled in
    retain: bool = False  # who comes later finds what stands; a warning that is over is taken away again
    version: Literal["3.1.1", "5"] = "5"  # with 3.1.1 a broker cannot say that it did not pass a message on
    username: str = ""
    password: str = field(default="", repr=False, metadata={"secret": True})
    client_id: str = "lifeline-desk"  # each message adds its own mark
    tls: bool = False
    ca_file: Path | None = None  # None: the authorities that the system trusts
    timeout: Seconds = 8.0  # [s] for all of it

    def __post_init__(self) -> None:
        unknown = sorted({m[1] for m in PLACE.finditer(self.topic)} - NAMES)
        if unknown or not self.topic or set(self.topic) & set("+#\0"):
            what = f"{{{unknown[0]}}} stands for nothing" if unknown else "is no topic to publish to"
            raise ValueError(f"topic: {self.topic!r}: {what}; names are {', '.join(sorted(NAMES))}")

    async def send(self, notice: Notice) -> Outcome:
        """Connect, publish, wait for the broker's word, disconnect."""
        if notice.person:
            return Drop("MQTT tells everybody who listens, not a person; take it out of the person's contacts", "misconfigured")
        try:
            return await asyncio.to_thread(self._publish, notice)
        except TimeoutError:
            return Retry(f"no word from the broker in {self.timeout:g} s", "timeout")
        except ssl.SSLCertVerificationError as why:
            return Drop(f"{type(why).__name__}: {why}", "misconfigured")
        except (OSError, ValueError) as why:
            return Retry(f"{type(why).__name__}: {why}", "connection")

    async def close(self) -> None:
        """Nothing is kept open."""

    def payloads(self, notice: Notice) -> list[tuple[bytes, bool]]:
        """What is published, and whether it is retained: the notice, and after the end the empty message that clears it."""
        said = msgspec.json.encode(
            {"id": notice.id, "exercise": notice.exercise, "texts": notice.texts, **msgspec.to_builtins(notice.story)}
        )
        over = notice.story.ended is not None
        keep = self.retain and not notice.exercise
        return [(said, keep and not over), *([(b"", True)] if keep and over else [])]

    def where(self, notice: Notice) -> str:
        """The topic of a notice; what would be a level of its own in a name is not."""
        return PLACE.sub(lambda m: FORBIDDEN.sub("_", str(getattr(notice.story, m[1]))) or "_", self.topic)

    def _publish(self, notice: Notice) -> Outcome:
        talk = _Talk(self, notice)
        try:
            return talk.through()
        finally:
            talk.end()


class _Talk:
    """One connection. paho calls back in a thread of its own."""

    def __init__(self, settings: Mqtt, notice: Notice) -> None:
        self.settings, self.notice = settings, notice
        self.greeted, self.done = Event(), Event()
        self.codes: list[int] = []  # of CONNACK and of each PUBACK
        five = settings.version == "5"
        protocol = paho.MQTTv5 if five else paho.MQTTv311
        name = f"{settings.client_id}-{receipts.short(notice.id)[:8]}"
        more: dict[str, Any] = {} if five else {"clean_session": True}
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol, **more)
        self.client.on_connect, self.client.on_publish = self._greeted, self._published
        if settings.username:
            self.client.username_pw_set(settings.username, settings.password or None)
        if settings.tls:
            self.client.tls_set_context(ssl.create_default_context(cafile=settings.ca_file))
        self.client.connect_timeout = settings.timeout

    def through(self) -> Outcome:
        """The whole conversation; TimeoutError where the broker falls silent."""
        self.client.connect(self.settings.host, self.settings.port)
        self.client.loop_start()
        if not self.greeted.wait(self.settings.timeout):
            raise TimeoutError
        if self.codes[0]:
            return _refused("connection refused", self.codes[0])
        topic = self.settings.where(self.notice)
        for payload, retain in self.settings.payloads(self.notice):
            self.done.clear()
            sent = self.client.publish(topic, payload, qos=1, retain=retain, properties=self._kind(payload))
            if sent.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
                return Retry(f"not published: {paho.error_string(sent.rc)}", "connection")
            if not self.done.wait(self.settings.timeout):
                raise TimeoutError
        worst = max(self.codes[1:])
        return _refused("not passed on", worst) if worst >= 128 else Sent(f"acknowledged by the broker: {topic}")

    def end(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _kind(self, payload: bytes) -> Properties | None:
        if self.settings.version != "5" or not payload:
            return None
        made: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        made.ContentType = "application/json"
        return made  # type: ignore[no-any-return]

    def _greeted(self, _client: paho.Client, _data: object, _flags: object, code: Any, _properties: object) -> None:
        self.codes.append(int(code.value))
        self.greeted.set()

    def _published(self, _client: paho.Client, _data: object, _mid: int, code: Any, _properties: object) -> None:
        self.codes.append(int(code.value))
        self.done.set()


def _refused(what: str, code: int) -> Outcome:
    """What a broker's code means; a person can mend a login or its rights."""
    closed = code in CLOSED
    return Retry(f"{what}: code {code}", "authError" if closed else "serverError", person=closed)
