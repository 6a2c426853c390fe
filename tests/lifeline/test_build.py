from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeline.build import ConfigRefused, build, keys
from lifeline.kinds import Between, Bytes, Port, Seconds, Secret, Spoken, duration, size
from lifeline.model import Domain, Level


@dataclass(frozen=True)
class Place:
    lat: float
    lon: float = 0.0


@dataclass(frozen=True)
class Pager:
    url: str
    token: Secret = Secret("")  # noqa: RUF009  a constant
    key: str = field(default="", metadata={"secret": True})
    port: Port = 80
    wait: Annotated[Seconds, Between(1)] = 5.0
    cap: Bytes = 10
    loud: bool = False
    share: float = 0.5
    least: Level = Level.BLUE
    domains: tuple[Domain, ...] = ()
    log: Path | None = None
    headers: dict[str, str] = field(default_factory=dict)
    free: dict[str, Any] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    client: object = None

    def __post_init__(self) -> None:
        if self.url.startswith("ftp:"):
            raise ValueError("url: ftp is not spoken\nurl: write https")


def refusal(table: Any, **more: Any) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        build(Pager, table, "pager", **more)
    assert all(p in str(refused.value) for p in refused.value.problems)
    return refused.value.problems


def test_a_table_becomes_what_its_types_say(tmp_path: Path) -> None:
    client = object()
    table = {
        "url": "https://x", "token": "t", "key": "k", "port": 8080, "wait": "5m", "cap": "2kB", "loud": True, "share": 1,
        "least": "ORANGE", "domains": ["gas", "water"], "log": "pager.log", "headers": {"a": "b"}, "free": {"x": [1, {}]},
        "places": [{"lat": 24.5}, {"lat": 1, "lon": 2}],
    }  # fmt: skip
    made = build(Pager, table, "pager", folder=tmp_path, given={"client": client})
    assert made == Pager(
        "https://x", Secret("t"), "k", 8080, 300.0, 2000, loud=True, share=1.0, least=Level.ORANGE,
        domains=(Domain.GAS, Domain.WATER), log=tmp_path / "pager.log", headers={"a": "b"}, free={"x": [1, {}]},
        places=[Place(24.5), Place(1.0, 2.0)], client=client,
    )  # fmt: skip
    assert type(made.share) is float


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"urk": "x", "url": "x"}, "pager.urk: no such key; did you mean 'url'?"),
        ({}, "pager.url: is missing, and has no default"),
        ({"url": 5}, "pager.url: must be text in quotes, not 5"),
        ({"url": "x", "port": "80"}, "pager.port: must be a whole number, not '80'"),
        ({"url": "x", "port": True}, "pager.port: must be a whole number, not true"),
        ({"url": "x", "port": 80.0}, "pager.port: must be a whole number, not 80.0"),
        ({"url": "x", "port": 0}, "pager.port: must be from 1 to 65535, not 0"),
        ({"url": "x", "wait": 30}, "pager.wait: must be text in quotes with its unit, not 30"),
        (
            {"url": "x", "wait": "30"},
            "pager.wait: must be a number and its unit, such as \"30s\" (units: ms, s, m, h, d), not '30'",
        ),
        ({"url": "x", "wait": "5ms"}, "pager.wait: must be at least 1, not '5ms'"),
        ({"url": "x", "loud": 1}, "pager.loud: must be true or false, not 1"),
        ({"url": "x", "share": float("nan")}, "pager.share: must be a finite number, not nan"),
        ({"url": "x", "least": 2}, "pager.least: must be one of 'NORMAL', 'BLUE', 'YELLOW', 'ORANGE', 'RED', not 2"),
        ({"url": "x", "domains": "gas"}, "pager.domains: must be a list in [ ], not 'gas'"),
        (
            {"url": "x", "domains": ["gas", "tram"]},
            "pager.domains[1]: must be one of 'gas', 'water', 'bridge', 'elevator', 'other', not 'tram'",
        ),
        ({"url": "x", "log": ""}, "pager.log: must name a file or directory; leave the key out if there is none"),
        ({"url": "x", "headers": {"a": 1}}, "pager.headers.a: must be text in quotes, not 1"),
        ({"url": "x", "headers": []}, "pager.headers: must be a table, not a list"),
        ({"url": "x", "places": [{"lat": 1}, {"lt": 1}]}, "pager.places[1].lt: no such key; did you mean 'lat'?"),
        (5, "pager: must be a table, not 5"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_is_allowed(table: Any, problem: str) -> None:
    assert problem in refusal(table, given={"client": None})


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(refusal({"urk": "x", "port": "p", "domains": [1, "gas", 2], "places": [{}, {"lat": "x"}]})) == 7


def test_a_field_that_is_given_is_no_key() -> None:
    assert "client" not in keys(Pager, {"client"})
    (said,) = refusal({"url": "x", "client": 1}, given={"client": None})
    assert said.startswith("pager.client: no such key")


def test_the_dataclass_may_refuse_for_reasons_of_its_own() -> None:
    assert refusal({"url": "ftp://x"}, given={"client": 0}) == ["pager: url: ftp is not spoken", "pager: url: write https"]


@pytest.mark.parametrize("key", ["token", "key"])
def test_a_secret_may_be_given_as_a_file_and_shows_in_no_repr(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_text("  hunter2\n", "utf-8")
    made = build(Pager, {"url": "x", f"{key}_file": "secret"}, "pager", folder=tmp_path, given={"client": None})
    assert getattr(made, key) == "hunter2"
    assert "hunter2" not in repr(made)
    assert "hunter2" not in repr(build(Pager, {"url": "x", key: "hunter2"}, "pager", given={"client": None}))


def test_a_secret_file_that_is_no_use_is_named(tmp_path: Path) -> None:
    (tmp_path / "blank").write_text("\n", "utf-8")
    (tmp_path / "binary").write_bytes(b"\xff")
    for name, reason in {
        "none": "cannot be read: No such file",
        "blank": "is empty",
        "binary": "cannot be read: it is not",
    }.items():
        (said,) = refusal({"url": "x", "token_file": name}, folder=tmp_path, given={"client": None})
        assert said.startswith(f"pager.token_file: {tmp_path / name} {reason}")


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    said = refusal({"url": "x", "token": "a", "token_file": "b"}, folder=tmp_path, given={"client": None})
    assert said == ["pager.token: token and token_file are both given; keep one"]


def test_a_wrong_secret_is_not_repeated_in_the_message() -> None:
    said = refusal({"url": "x", "token": 4711, "key": [4711]}, given={"client": None})
    assert len(said) == 2
    assert not any("4711" in problem for problem in said)


def test_text_from_the_environment_may_be_a_number_or_a_truth_value() -> None:
    table = {"url": Spoken("u"), "port": Spoken("8080"), "loud": Spoken("true"), "share": Spoken("1e-3"), "token": Spoken("t")}
    made = build(Pager, table, "pager", given={"client": None})
    assert (made.url, made.port, made.loud, made.share, made.token) == ("u", 8080, True, 1e-3, "t")
    said = refusal({"url": "x", "port": Spoken("many", "PORT"), "loud": Spoken("yes", "LOUD")}, given={"client": None})
    assert said == [
        "pager.port: must be a whole number, not 'many' (from PORT)",
        "pager.loud: must be true or false, not 'yes' (from LOUD)",
    ]


@pytest.mark.parametrize(("text", "seconds"), [("5ms", 0.005), ("30s", 30), ("1.5m", 90), ("4h", 14400), (" 7 d ", 604800)])
def test_durations_have_a_unit(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "count"), [("0B", 0), ("1.5kB", 1500), ("64MB", 64_000_000), ("64MiB", 2**26), ("4GB", 4 * 10**9)]
)
def test_sizes_have_a_unit(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "5", "s", "-5s", "5 parsecs", "5S", "1h30m", "1e3s", "٥s5"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a number and its unit"):
        duration(text)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*keys(Pager), "x", "lat"]), inner, max_size=4),
    max_leaves=12,
)


@given(junk=JUNK)
def test_junk_is_built_or_refused_and_never_crashes(junk: Any) -> None:
    made: Pager | ConfigRefused
    try:
        made = build(Pager, junk, "pager", folder=Path("/nonexistent"), given={"client": None})
    except ConfigRefused as refused:
        made = refused
    if isinstance(made, ConfigRefused):
        assert made.problems
        assert all(p.startswith("pager") for p in made.problems)
    else:
        assert isinstance(junk, Mapping)
        assert made.url == junk["url"]
