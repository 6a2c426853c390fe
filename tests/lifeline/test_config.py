import copy
import pickle
import re
import tomllib
import types
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest

from lifeline.build import keys
from lifeline.catalog import OPTIONAL, REQUIRED
from lifeline.catalog import load as load_catalog
from lifeline.config import (
    SECTIONS,
    Broker,
    Bytes,
    City,
    Config,
    ConfigRefused,
    Seconds,
    Secret,
    build,
    complete,
    duration,
    load,
)
from lifeline.kinds import Written

ROOT = Path(__file__).parents[2]
NEEDED: dict[str, dict[str, Any]] = {"city": {"name": "x", "catalog": "x.csv"}}
FROM_FILE, FROM_VARIABLE = "from file", "from variable"
CITY = '[city]\nname = "chengjiang"\ncatalog = "catalog.csv"\n'
SAMPLE = (ROOT / "lifeline.toml").read_text("utf-8")
MANUAL = (ROOT / "docs" / "configuration.md").read_text("utf-8")


def given(folder: Path, text: str, environ: Mapping[str, str] | None = None, city: str = CITY) -> Config:
    (folder / "lifeline.toml").write_text(city + text, "utf-8")
    return load(folder / "lifeline.toml", environ or {})


def refusal(folder: Path, text: str, environ: Mapping[str, str] | None = None, city: str = CITY) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        given(folder, text, environ, city)
    return [p.removeprefix(f"{folder / 'lifeline.toml'}: ") for p in refused.value.problems]


def test_a_city_is_all_that_must_be_said(tmp_path: Path) -> None:
    c = given(tmp_path, "")
    assert (c.city.catalog, c.city.data) == (tmp_path / "catalog.csv", tmp_path / "var")
    assert (c.broker.client_id, c.watch.desk, c.desk.public_url) == ("lifeline-chengjiang", *["http://127.0.0.1:8087"] * 2)
    assert c.desk.database == f"sqlite:///{tmp_path}/var/desk.db"
    assert c == complete(Config(City("chengjiang", tmp_path / "catalog.csv"), folder=tmp_path))


def test_the_desk_is_called_where_it_listens(tmp_path: Path) -> None:
    assert given(tmp_path, '[desk]\nhost = "0.0.0.0"\nport = 9000').watch.desk == "http://127.0.0.1:9000"
    assert given(tmp_path, '[watch]\ndesk = "https://desk.example"').watch.desk == "https://desk.example"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[brocker]\nhost = 'x'", "brocker: no such key; did you mean 'broker'?"),
        ("[broker]\nprot = 1884", "broker.prot: no such key; did you mean 'port'?"),
        ("[broker]\nversion = '4'", "broker.version: must be one of '3.1.1', '5', not '4'"),
        ("[broker]\nca_file = 'ca.pem'", "broker: ca_file: given, but tls = false, so nothing would be encrypted"),
        ("[broker]\ntls = true\ncert_file = 'c'", "broker: cert_file, key_file: one is given without the other"),
        ("[broker]\npassword = 'x'", "broker: password: given without a username; MQTT 3.1.1 does not allow it"),
        ("[broker]\ntls = true\nembedded = true", "broker: embedded: the embedded broker speaks no TLS; set tls = false"),
        ("[broker]\nshare = 'a/b'", "broker: share: must be a name without '/', '+' and '#'"),
        ("[broker]\ntopics = []", "broker: topics: is empty; nothing would be received"),
        ("[broker]\nkeepalive = '0s'", "broker.keepalive: must be from 1 to 65535, not '0s'"),
        (
            "[oidc]\nissuer = 'http://sso.example'\nclient_id = 'x'\nadmin = ['x']",
            "oidc: issuer: is no URL that begins with https://",
        ),
        ("[oidc]\nissuer = 'https://sso.example'\nadmin = ['x']", "oidc: client_id: is missing"),
        (
            "[oidc]\nissuer = 'https://sso.example'\nclient_id = 'x'",
            "oidc: viewer, operator, analyst, leader, admin: are all empty",
        ),
        ("[health]\nwatch_port = 8087", "health.watch_port: 8087 is already the port of desk.port"),
        ("[channels.phone]\nurl = 'x'", 'channels.phone.type: is missing; say what it is, such as type = "webhook"'),
        ("[maps]\ngas = 'no-pipes.csv'", "maps.gas: "),
        ("[channels]\nphone = 1", "channels.phone: must be a table, not 1"),
        ("[desk", "is not TOML: "),
    ],
)
def test_a_mistake_is_refused_by_name_with_what_is_right(tmp_path: Path, text: str, problem: str) -> None:
    (said,) = refusal(tmp_path, text)
    assert said.startswith(problem)


@pytest.mark.parametrize(
    ("topic", "good"),
    [
        ("#", True),
        ("+", True),
        ("a/+/b/#", True),
        ("/", True),
        ("", False),
        ("a#", False),
        ("a/#/b", False),
        ("a+/b", False),
        ("##", False),
    ],
)
def test_topic_filters_are_checked_as_the_standard_says(topic: str, good: bool) -> None:  # noqa: FBT001  a table of cases
    if good:
        assert Broker(topics=(topic,)).topics == (topic,)
    else:
        with pytest.raises(ValueError, match="is no topic filter"):
            Broker(topics=(topic,))


def test_all_mistakes_of_file_and_environment_are_said_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, "[broker]\nport = 'x'\nhots = 1\n[lake]\nretention = 5", {"LIFELINE_LAKE_COMPAKT": "1h"}, city="")
    assert [p.split(":")[0] for p in said] == ["LIFELINE_LAKE_COMPAKT", "city", "broker.hots", "broker.port", "lake.retention"]
    assert said[0] == "LIFELINE_LAKE_COMPAKT: this variable names no key; did you mean 'LIFELINE_LAKE_COMPACT'?"


def test_a_name_that_would_break_the_topics_is_refused(tmp_path: Path) -> None:
    (said,) = refusal(tmp_path, "", city='[city]\nname = "a/b"\ncatalog = "c.csv"')
    assert said.startswith("city: name: 'a/b' cannot stand in a topic")


def spoken(kind: Any) -> str:
    """What one may write into a variable for a key of this type, and is no default."""
    if kind in {Seconds, Bytes}:
        return "9s" if kind is Seconds else "9MB"
    if get_origin(kind) is Literal:
        return str(get_args(kind)[-1])
    inner = get_args(kind)[0] if get_origin(kind) in {Annotated, types.UnionType} else kind
    marks = [m.read for m in get_args(kind)[1:] if isinstance(m, Written)]
    if marks:
        return "9s" if duration in marks else "9MB"
    return {bool: "true", int: "77", float: "9.0", Path: "/a/file"}.get(inner, "5")


SCALARS = [
    (section, key, "false" if key == "console" else spoken(kind))
    for section, cls in SECTIONS.items()
    for key, kind in keys(cls).items()
    if kind != tuple[str, ...]
    and key not in {"password_file", "database_file", "token_file", "link_secret_file", "client_secret_file"}
    if (section, key) != ("oidc", "issuer")  # wants more beside it
]


@pytest.mark.parametrize(("section", "key", "text"), SCALARS)
def test_every_scalar_key_may_come_from_the_environment(tmp_path: Path, section: str, key: str, text: str) -> None:
    tls = {"LIFELINE_BROKER_TLS": "true", "LIFELINE_BROKER_CERT_FILE": "/c", "LIFELINE_BROKER_KEY_FILE": "/k"}
    other = tls if section == "broker" and key.endswith("_file") else {"LIFELINE_BROKER_USERNAME": "u"}
    made = given(tmp_path, "", {**other, f"LIFELINE_{section}_{key}".upper(): text})
    value = getattr(getattr(made, section), key)
    assert value != getattr(getattr(given(tmp_path, ""), section), key)
    assert value in {text, Path(text), text == "true", 77, 9.0, 9_000_000}


def test_the_variables_that_other_tools_know_name_the_influxdb_too(tmp_path: Path) -> None:
    text = '[influx]\nurl = "http://file:8086"'
    made = given(tmp_path, text, {"INFLUX_URL": "http://here:8086", "INFLUX_TOKEN": FROM_VARIABLE}).influx
    assert (made.url, made.token) == ("http://here:8086", FROM_VARIABLE)
    assert given(tmp_path, text, {"INFLUX_URL": "a", "LIFELINE_INFLUX_URL": "b"}).influx.url == "b"


def test_a_variable_wins_over_the_file_and_its_secret_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(FROM_FILE, "utf-8")
    text = '[broker]\nusername = "u"\npassword_file = "secret"\nport = 1'
    assert given(tmp_path, text).broker.password == FROM_FILE
    made = given(tmp_path, text, {"LIFELINE_BROKER_PASSWORD": FROM_VARIABLE, "LIFELINE_BROKER_PORT": "2"})
    assert (made.broker.password, made.broker.port) == (FROM_VARIABLE, 2)
    other = text.replace("password_file", "password")
    made = given(tmp_path, other, {"LIFELINE_BROKER_PASSWORD_FILE": str(tmp_path / "secret")})
    assert made.broker.password == FROM_FILE


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"LIFELINE_BROKER_PORT": "many"}, "broker.port: must be a whole number, not 'many' (from LIFELINE_BROKER_PORT)"),
        ({"LIFELINE_BROKER_TOPICS": "a"}, "LIFELINE_BROKER_TOPICS: broker.topics is a list; set it in the file"),
        ({"LIFELINE_CHANNELS_PHONE_URL": "x"}, "LIFELINE_CHANNELS_PHONE_URL: this variable names no key;"),
        ({"LIFELINE_FOLDER": "x"}, "LIFELINE_FOLDER: this variable names no key;"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(tmp_path: Path, environ: dict[str, str], problem: str) -> None:
    (said,) = refusal(tmp_path, "", environ)
    assert said.startswith(problem)


def test_variables_are_filled_into_text_at_any_depth(tmp_path: Path) -> None:
    text = """
    [broker]
    host = "mqtt.${ZONE}.example"
    port = "${PORT:-1884}"
    topics = ["${ROOT:-lifeline/v1}/#"]
    [channels.phone]
    type = "webhook"
    headers = {Authorization = "Bearer ${LIFELINE_TOKEN}", Price = "$5 and $${ZONE}"}
    """
    made = given(tmp_path, text, {"ZONE": "east", "LIFELINE_TOKEN": "t"})
    assert (made.broker.host, made.broker.port, made.broker.topics) == ("mqtt.east.example", 1884, ("lifeline/v1/#",))
    assert made.channels["phone"]["headers"] == {"Authorization": "Bearer t", "Price": "$5 and ${ZONE}"}


def test_a_variable_that_is_not_set_is_refused_where_it_stands(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[channels.a]\ntype = 'x'\nto = ['${WHO}']") == [
        "channels.a.to[0]: ${WHO} is not set in the environment; set it, or write ${WHO:-default}"
    ]


def test_no_secret_shows_in_the_repr(tmp_path: Path) -> None:
    text = """
    [broker]
    username = "u"
    password = "hunter2"
    [desk]
    database = "postgresql://desk:hunter2@db/desk"
    [channels.phone]
    type = "webhook"
    url = "https://x/?token=hunter2"
    """
    made = given(tmp_path, text)
    assert made.channels["phone"]["url"].endswith("hunter2")
    assert made.desk.database.endswith("hunter2@db/desk")
    assert "hunter2" not in repr(made)


def test_settings_can_be_handed_to_another_process(tmp_path: Path) -> None:
    made = given(tmp_path, "[channels.a]\ntype = '${KIND}'", {"KIND": "log"})
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301  our own
    assert copy.deepcopy(made) == made
    assert asdict(made)["channels"] == {"a": {"type": "log"}}


@pytest.mark.parametrize(
    ("content", "problem"), [(b"\xff", "is not UTF-8 (byte 0)"), (b"a = ", "is not TOML"), (None, "cannot be read")]
)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "lifeline.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigRefused, match=re.escape(f"{path}: {problem}")):
        load(path, {})


def sample(lines: Iterable[str]) -> dict[str, Any]:
    """Tables of the sample's sections from the lines chosen, which may be commented out."""
    return tomllib.loads("\n".join(line.removeprefix("#") for line in lines))


LINES = [line for line in SAMPLE.splitlines() if re.match(r"#?\w+ = |\[", line)]
HEADS = [line for line in LINES if line.startswith("[") and not line.startswith("[channels")]


def test_the_sample_is_a_good_configuration() -> None:
    made = load(ROOT / "lifeline.toml", {})
    assert made.broker.tls
    assert {table["type"] for table in made.channels.values()} == {"log", "webhook"}


def test_the_sample_shows_every_key() -> None:
    shown: dict[str, set[str]] = {}
    for line in LINES:
        if line.startswith("["):
            section = shown.setdefault(line.strip("[]"), set())
        else:
            section.add(line.removeprefix("#").split(" = ")[0])
    for section_name, cls in SECTIONS.items():
        assert shown[section_name] - {"password_file"} == {f.name for f in fields(cls)}, section_name


def test_keys_that_the_sample_leaves_out_are_shown_at_their_defaults() -> None:
    chosen = [line for line in LINES if line in HEADS or (line.startswith("#") and not line.endswith("# for example"))]
    shown = sample(chosen)
    default = complete(Config(City("chengjiang", Path("catalog.csv"))))
    for name, cls in SECTIONS.items():
        if name != "city":
            made: Any = build(cls, shown[name], name)
            expected = getattr(default, name)
            assert {k: getattr(made, k) for k in shown[name]} == {k: getattr(expected, k) for k in shown[name]}


@pytest.mark.parametrize("line", [line for line in LINES if line.endswith("# for example")])
def test_examples_in_the_sample_are_of_the_right_type(line: str) -> None:
    before = LINES[: LINES.index(line)]
    section = next(head for head in reversed(before) if head.startswith("[")).strip("[]")
    (key,) = sample([line])
    kind = keys(SECTIONS[section])[key]
    assert kind in {Path, Path | None, Secret}
    assert isinstance(sample([line])[key], str)


def parts(manual: str) -> dict[str, str]:
    """The manual cut at its headings `## [section]`."""
    cut = re.split(r"^## ", manual, flags=re.MULTILINE)
    return {name: body for name, _, body in (part.partition("\n") for part in cut)}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_manual_names_every_key_and_no_other(section: str) -> None:
    body = parts(MANUAL)[f"[{section}]"]
    named = re.findall(r"^\| `(\w+)` \|", body, flags=re.MULTILINE)
    assert named == [f.name for f in fields(SECTIONS[section])]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_manual_tells_the_defaults(section: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", parts(MANUAL)[f"[{section}]"], flags=re.MULTILINE))
    told: Any = build(
        SECTIONS[section], tomllib.loads("\n".join(f"{k} = {v}" for k, v in rows.items())) | NEEDED.get(section, {}), section
    )
    default: Any = build(SECTIONS[section], NEEDED.get(section, {}), section)
    assert told == default
    assert rows


def test_the_manual_names_every_column_of_the_catalog() -> None:
    named = re.findall(r"^\| `(\w+)` \|", parts(MANUAL)["The catalog"], flags=re.MULTILINE)
    assert named == [*REQUIRED, *OPTIONAL]


def test_the_manuals_catalog_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"```csv\n(.*?)```", MANUAL, flags=re.DOTALL)
    (tmp_path / "catalog.csv").write_text(example, "utf-8")
    assert load_catalog(tmp_path / "catalog.csv").n == 3
