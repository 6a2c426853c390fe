"""The canary is sent to the broker, as a device would, by a thread of the desk's process."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ingest.mqtt import Publisher
from lifeline import canary
from lifeline.clock import now
from lifeline.config import Broker, Config

log = logging.getLogger("lifeline.canary")

AGAIN: Final = 5.0  # [s] before connecting again, at first
LONGEST: Final = 60.0  # [s]


def account(config: Config) -> Broker:
    """The broker as the canary speaks to it."""
    own = config.canary
    if not own.username and not own.cert_file:
        return config.broker
    files = (own.cert_file, own.key_file)
    return replace(config.broker, username=own.username, password=own.password, cert_file=files[0], key_file=files[1])


class Song(threading.Thread):
    """Publishes as a device would, now and then, for good."""

    def __init__(self, config: Config, name: str, sent: Callable[[int], None]) -> None:
        """name: of this sender among several; sent: is told when one went out [ns]"""
        super().__init__(name="canary", daemon=True)
        self._broker, self._id = account(config), f"{config.broker.client_id}-canary-{name}"
        self._topic, self._every = canary.topic(config.city.name), config.canary.every
        self._sent, self._stop_ = sent, threading.Event()

    def run(self) -> None:
        wait = AGAIN
        while not self._stop_.is_set():
            try:
                with Publisher(self._broker, self._id, window=1) as broker:
                    wait = AGAIN
                    self._sing(broker)
            except (OSError, ValueError) as why:
                log.warning("the canary finds no broker", extra={"why": f"{type(why).__name__}: {why}", "again_s": wait})
                self._stop_.wait(wait)
                wait = min(2 * wait, LONGEST)

    def _sing(self, broker: Publisher) -> None:
        while not self._stop_.is_set():
            t = now()
            broker.publish(self._topic, canary.payload(t))
            broker.drain(30.0)
            self._sent(t)
            self._stop_.wait(self._every)

    def stop(self) -> None:
        """Publish no more; does not wait."""
        self._stop_.set()
