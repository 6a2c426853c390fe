"""One influxd with a small city in it, and all boards, for the tests of what they show."""

from collections.abc import Iterator
from typing import Any

import pytest

from alerts.terms import DEFAULTS
from boards.build import City, files
from boards.words import Language
from detectors.rulebook import rules
from tests.boards.influxd import Influxd
from tests.boards.town import hourly, lines


@pytest.fixture(scope="session")
def city() -> City:
    return City(rules(), {level: terms.answer for level, terms in DEFAULTS.items()})


@pytest.fixture(scope="session")
def made(city: City) -> dict[str, dict[str, Any]]:
    """Path -> board, of both languages."""
    return files(list(Language), city)


@pytest.fixture(scope="session")
def influxd() -> Iterator[Influxd]:
    with Influxd() as server:
        server.write(lines())
        server.create("empty")
        server.create("lifeline_1h")
        server.write("\n".join(hourly()) + "\n", "lifeline_1h")
        yield server
