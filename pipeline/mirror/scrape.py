"""The processes' own figures, as lines. What cannot be read or written now is worth nothing later: a gap shows by itself."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

import httpx
from prometheus_client.parser import text_string_to_metric_families

from store.protocol import Lines, Unwritable, line

EVERY: Final = 10.0  # [s]


class Scrape:
    """Pages of figures, by process; of some there are several."""

    def __init__(self, pages: Mapping[str, Sequence[str]], headers: Mapping[str, dict[str, str]]) -> None:
        self._pages, self._headers = pages, headers
        self._http = httpx.Client(timeout=2.0, trust_env=False)
        self.failures: dict[str, int] = dict.fromkeys(pages, 0)

    def lines(self, t: int) -> Lines:
        """t [ns]"""
        told: list[bytes] = []
        for process, url in ((p, url) for p, urls in self._pages.items() for url in urls):
            try:
                got = self._http.get(url, headers=self._headers.get(process))
                got.raise_for_status()
                told += samples(got.text, process, t, urlsplit(url).netloc)
            except (httpx.HTTPError, ValueError):
                self.failures[process] += 1
        return Lines.of(told)

    def close(self) -> None:
        self._http.close()


def samples(page: str, process: str, t: int, instance: str) -> Iterator[bytes]:
    """A page of figures as lines; what is no number is left out, and when counters began. instance: HOST:PORT that told it"""
    for family in text_string_to_metric_families(page):
        for s in family.samples:
            if s.name.endswith("_created") or not math.isfinite(s.value):
                continue
            try:
                yield line(s.name, {**s.labels, "process": process, "instance": instance}, {"value": float(s.value)}, t)
            except Unwritable:
                continue
