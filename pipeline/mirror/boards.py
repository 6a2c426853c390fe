"""What boards show besides readings, in a thread of its own: neither waits for readings, nor they for it."""

import logging
import threading
import time
from typing import Final

from lifeline.catalog import Catalog
from lifeline.clock import now
from lifeline.config import Config
from pipeline.mirror.book import Book
from pipeline.mirror.desk import Assets, Desk
from pipeline.mirror.patient import Patient, target
from pipeline.mirror.scrape import EVERY, Scrape
from pipeline.token import bearer
from store.influx import Sink, Writer
from store.protocol import Lines

log = logging.getLogger("lifeline.mirror")

DESK: Final = 2.0  # [s] between questions to the desk


class Boards:
    """The thread, and what it writes by."""

    def __init__(self, config: Config, catalog: Catalog) -> None:
        shown, h = bearer(config), config.health
        asked = {name: [h.page(name)] for name in ("receive", "watch", "mirror")}
        asked["desk"] = list(config.influx.desks or (config.watch.desk,))
        pages = {name: [f"{url.rstrip('/')}/metrics" for url in urls] for name, urls in asked.items()}
        self._book = Book(config.city.data / "mirror.db")
        self.scrape = Scrape(pages, {"desk": shown})
        self.desk = Desk(config.watch.desk, shown, self._book, self._refuse)
        self._assets = Assets(catalog, config.city.name)
        self._said: set[str] = set()  # what could not be written, and was said
        writer, most = Writer(target(config.influx)), config.influx.batch
        self._kept, self._passing = Patient(writer, most, self._book.bury), Patient(writer, most, self._book.bury)
        self._thread = threading.Thread(target=self._run, name="boards", daemon=True)
        self._stop = threading.Event()
        self._figures = 0.0  # [s] monotonic: when the processes' figures are due
        self.waiting = 0  # lines of levels and warnings that are kept until they are written

    @property
    def sinks(self) -> list[Sink]:
        return [self._kept.sink, self._passing.sink]

    @property
    def why(self) -> str:
        """Nothing can be written, and why."""
        return self._kept.why or self._passing.why

    def start(self, stop: threading.Event) -> None:
        self._stop = stop
        self._thread.start()

    def close(self, patience: float = 5.0) -> None:
        """What waits stays on disk."""
        if self._thread.is_alive():
            self._thread.join(patience)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.turn()
            except Exception:  # whatever it is, it must not end what boards show
                log.exception("what boards show could not be brought up to date; again in a moment")
            self._stop.wait(DESK)

    def turn(self) -> None:
        """Take over what is new at the desk, and write it; then how things stand now."""
        self.desk.follow()
        self._flush()
        t = now()
        levels, opened = self.desk.assets()
        if self._passing.write(self._assets.lines(levels, opened, t)):
            self._assets.written(levels, opened, t)
        if time.monotonic() >= self._figures:
            self._figures = time.monotonic() + EVERY
            self._passing.write(self.scrape.lines(t))

    def _flush(self) -> None:
        """Write what waits."""
        while True:
            self.waiting = self._book.waiting()
            last, lines = self._book.spooled()
            if not lines or not self._kept.write(Lines.of(lines)):
                return
            self._book.written(last)

    def _refuse(self, why: str) -> None:
        if why not in self._said:
            self._said.add(why)
            log.error("what the desk says cannot be written to InfluxDB", extra={"why": why})
