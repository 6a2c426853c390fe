"""The description of the interface: whole, right, and no request that it allows breaks the desk."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import checks
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode

from alerts.api import app
from alerts.desk import Desk, Settings
from alerts.openapi import SAID
from alerts.roles import Role
from alerts.route import Route
from alerts.tables import Database
from alerts.users.guard import free
from lifeline.catalog import Catalog
from lifeline.clock import FastClock
from lifeline.model import NS, Change, Level
from tests.tokens import BEARER, TOKEN

T0 = 1_767_000_000 * NS
EXAMPLES = 2  # [1] requests of each operation
POSITIVE = GenerationMode.POSITIVE
ENDLESS = "/api/v1/events"
BOUNDS = settings(
    max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
CHECKS = [
    checks.not_a_server_error,
    checks.response_schema_conformance,
    checks.content_type_conformance,
    checks.status_code_conformance,
]
Say = Callable[..., Change]


@pytest.fixture
def desk(database: Database, catalog: Catalog, say: Say) -> Desk:
    """With a warning, a danger and a user."""
    made = Desk.of(Settings("chengjiang", token=TOKEN), database, catalog, [Route("phone")], {}, FastClock(T0))
    made.take([say(Level.YELLOW), say(Level.RED, 1, "d3", "W-2")])
    made.access.add("li", Role.OPERATOR, "", "test", T0)
    return made


@pytest.fixture
def document(desk: Desk) -> dict[str, Any]:
    return app(desk).openapi()


@pytest.fixture
def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(m, p, op) for p, methods in document["paths"].items() for m, op in methods.items()]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_described_exists_and_every_body_has_a_schema_and_an_example(
    document: dict[str, Any], operations: list[tuple[str, str, dict[str, Any]]]
) -> None:
    known = {(m, p) for m, p, _ in operations}
    assert set(SAID) <= known, set(SAID) - known
    bodies = {(m, p) for m, p in known if m in {"post", "put", "patch"} and p.startswith("/api/v1/")}
    assert len(bodies - set(SAID)) <= 6, bodies - set(SAID)  # few are left without a schema
    for method, path, op in operations:
        for media, body in op.get("requestBody", {}).get("content", {}).items():
            if media == "application/json":
                schema = {**body["schema"], "components": document["components"]}
                jsonschema.Draft202012Validator(schema).validate(body["example"])
        assert "default" in op["responses"], (method, path)
        assert (op.get("security") == []) == free(path), path


def test_the_examples_are_read_by_the_types_that_read_the_requests() -> None:
    for said in SAID.values():
        if said.example is not None:
            msgspec.json.decode(msgspec.json.encode(said.example), type=said.body)


class Client:
    """Sends what schemathesis makes, inside this process; the desk's own tasks do not run."""

    def __init__(self, served: Any) -> None:
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://desk")

    def send(self, case: Any) -> httpx.Response:
        made = case.as_transport_kwargs(base_url="http://desk")
        body = made.pop("data", None)
        made["content"] = body if isinstance(body, bytes | str | None) else str(body)
        if "json" in made:
            made["content"] = msgspec.json.encode(made.pop("json"))
        said = {k: str(v).encode() for k, v in dict(made.get("headers") or {}).items() if v is not None}
        made["headers"] = {**said, "Authorization": BEARER["Authorization"].encode()}
        kept = {k: v for k, v in made.items() if k in {"method", "url", "params", "headers", "content"}}
        return self._runner.run(self._http.request(**kept))

    def close(self) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()


@pytest.fixture
def client(desk: Desk) -> Iterator[Client]:
    made = Client(app(desk))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("database", "mode"), [("sqlite", m) for m in GenerationMode] + [("postgresql", POSITIVE)], indirect=["database"]
)
def test_no_request_breaks_the_desk_and_its_answers_are_what_is_said(desk: Desk, client: Client, mode: GenerationMode) -> None:
    """Requests as they are described, and others."""
    schema = schemathesis.openapi.from_dict(app(desk).openapi())
    answers = Counter[int]()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result.err()
        operation = result.ok()
        if operation.path == ENDLESS:
            continue

        @BOUNDS
        @given(case=operation.as_strategy(generation_mode=mode))
        def asks(case: Any) -> None:
            answer = client.send(case)
            answers[answer.status_code] += 1
            case.validate_response(answer, checks=CHECKS)

        with suppress(Unsatisfiable):  # where nothing is asked, nothing can be asked wrongly
            seed(1)(asks)()
    assert answers.total() > 100
    assert len(answers) > 3
