"""The configuration: one TOML file, read once into frozen dataclasses. Every key is described in docs/configuration.md."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from lifeline.build import ConfigRefused, build, keys
from lifeline.kinds import Between, Bytes, Port, Seconds, Secret, Spoken, duration, size
from lifeline.words import suggestion

__all__ = [
    "Between", "Broker", "Bytes", "Canary", "City", "Config", "ConfigRefused", "Desk", "Health", "Influx", "Journal", "Lake",
    "Log", "Port", "Seconds", "Secret", "Watch", "build", "complete", "duration", "load", "size",
]  # fmt: skip

NONE: Final = Secret("")
PREFIX: Final = "LIFELINE_"
ALIASES: Final = {"INFLUX_URL": "LIFELINE_INFLUX_URL", "INFLUX_TOKEN": "LIFELINE_INFLUX_TOKEN"}  # as other tools know them
VARIABLE: Final = re.compile(r"(\$?)\$\{(\w+)(?::-([^}]*))?\}")  # $${NAME} stands for ${NAME} itself


@dataclass(frozen=True)
class City:
    name: str  # as it stands in the topics
    catalog: Path
    data: Path = Path("var")  # directory of journal, snapshots, lake and desk database

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set("/+# \0"):
            raise ValueError(f"name: {self.name!r} cannot stand in a topic; write it without '/', '+', '#' and spaces")


@dataclass(frozen=True)
class Broker:
    host: str = "127.0.0.1"
    port: Port = 1883
    version: Literal["3.1.1", "5"] = "3.1.1"
    client_id: str = ""  # "": "lifeline-" and the city's name
    username: str = ""
    password: Secret = NONE
    tls: bool = False
    ca_file: Path | None = None  # None: the authorities that the system trusts
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive: Annotated[Seconds, Between(1, 65535)] = 30.0  # [s]
    topics: tuple[str, ...] = ("lifeline/v1/#",)
    share: str = ""  # group of a shared subscription; "": none
    embedded: bool = False
    receive_maximum: Annotated[int, Between(1, 65535)] = 1000  # [message] on the way, unacknowledged; MQTT 5 only
    max_payload: Annotated[Bytes, Between(1)] = 1_000_000  # [byte]

    def __post_init__(self) -> None:
        files = [name for name in ("ca_file", "cert_file", "key_file") if getattr(self, name)]
        wrong = {
            f"{', '.join(files)}: given, but tls = false, so nothing would be encrypted": bool(files) and not self.tls,
            "cert_file, key_file: one is given without the other": bool(self.cert_file) != bool(self.key_file),
            "password: given without a username; MQTT 3.1.1 does not allow it": bool(self.password) and not self.username,
            "embedded: the embedded broker speaks no TLS; set tls = false": self.embedded and self.tls,
            "share: must be a name without '/', '+' and '#'": bool(set(self.share) & set("/+#")),
            "topics: is empty; nothing would be received": not self.topics,
        }
        wrong |= {
            f"topics: {t!r} is no topic filter; '+' and '#' stand alone between '/', '#' last": not _filter(t)
            for t in self.topics
        }
        if any(wrong.values()):
            raise ValueError("\n".join(reason for reason, so in wrong.items() if so))


def _filter(topic: str) -> bool:
    """Whether it is a topic filter (MQTT 3.1.1, section 4.7.1)."""
    *levels, last = topic.split("/")
    alone = all(level == "+" or "+" not in level for level in (*levels, last))
    return bool(topic) and alone and (last == "#" or "#" not in last) and not any("#" in level for level in levels)


@dataclass(frozen=True)
class Journal:
    linger: Seconds = 0.005  # [s]
    batch: Annotated[int, Between(1)] = 1000  # [message] a commit
    retention: Seconds = 86400.0  # [s]
    max_size: Annotated[Bytes, Between(1)] = 4_000_000_000  # [byte]
    min_free: Bytes = 64_000_000  # [byte]
    dead: Seconds = 30 * 86400.0  # [s] that dead letters are kept


@dataclass(frozen=True)
class Watch:
    flush: Annotated[Seconds, Between(0.001)] = 5.0  # [s]
    skew: Seconds = 300.0  # [s] that a reading may lie in the future
    oldest: Seconds = 30 * 86400.0  # [s] age of the oldest reading taken
    own_series: bool = False  # whether a device may speak only of the series that the catalog gives it
    rules: Path | None = None  # directory; None: the rules that come with the program
    desk: str = ""  # URL; "": from [desk]
    poll: Annotated[Seconds, Between(0.0001)] = 0.005  # [s]


@dataclass(frozen=True)
class Lake:
    retention: Seconds = 3650 * 86400.0  # [s]
    compact: Annotated[Seconds, Between(1)] = 60.0  # [s] between mergings of small files


@dataclass(frozen=True)
class Desk:
    host: str = "127.0.0.1"
    port: Port = 8087
    name: str = ""  # of this desk among several on one database; "": the machine's
    database: Secret = NONE  # SQLAlchemy URL, which may hold a password; "": SQLite in the data directory
    public_url: str = ""  # how people reach the desk; "": from host and port
    routing: Path | None = None  # Alertmanager configuration (YAML); None: the channels' min_level and kinds decide
    topology: Path | None = None  # CSV of what lies upstream of what; None: nothing is known of it
    token: Secret = NONE  # that watch, receive and the command line show; "": one in the data directory, made when it is needed
    people: Path | None = None  # file of people and rosters; None: there are none
    link_secret: Secret = NONE  # under which links in notices are signed; "": made once and kept in the database
    responsibilities: Path | None = None  # table of who hears of what; None: the one that comes with the program
    stores: Path | None = None  # file of stores, shelters and teams; None: there are none
    ping: str = ""  # URL outside that is asked every minute while no escalation is missed; "": none
    console: bool = True  # the pages for duty staff, under /console/


@dataclass(frozen=True)
class Oidc:
    """A provider of identities (OpenID Connect) beside names and passwords."""

    issuer: str = ""  # its URL; "": none
    client_id: str = ""
    client_secret: Secret = NONE  # "": a public client
    scope: str = "openid email profile"
    user: str = "email"  # claim that names the user
    domain: str = ""  # only addresses of this domain; "": any
    claim: str = "groups"  # claim that gives roles; a.b: b in a
    viewer: tuple[str, ...] = ()  # values of the claim that give this role
    operator: tuple[str, ...] = ()
    analyst: tuple[str, ...] = ()
    leader: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        host = urlsplit(self.issuer).hostname or ""
        safe = self.issuer.startswith("https://") or host in {"localhost", "127.0.0.1", "::1"}
        given = (self.viewer, self.operator, self.analyst, self.leader, self.admin)
        wrong = {
            "issuer: is no URL that begins with https://": bool(self.issuer) and not (safe and host),
            "client_id: is missing": bool(self.issuer) and not self.client_id,
            "viewer, operator, analyst, leader, admin: are all empty; nobody could sign in": bool(self.issuer)
            and not any(given),
        }
        if any(wrong.values()):
            raise ValueError("\n".join(reason for reason, so in wrong.items() if so))


@dataclass(frozen=True)
class Reports:
    language: Literal["both", "zh", "en"] = "both"
    channel: str = ""  # name of a channel of the type smtp that mails them; "": none
    to: tuple[str, ...] = ()  # who gets them; empty: the channel's own receivers
    false_alarms: Annotated[float, Between(0)] = 0.0  # [1/d] false hazards that the limits are set for; 0: nobody has said


@dataclass(frozen=True)
class Health:
    host: str = "127.0.0.1"
    receive_port: Port = 8085
    watch_port: Port = 8086
    mirror_port: Port = 8089
    receive_url: str = ""  # where others reach it, such as in another container; "": from host and port
    watch_url: str = ""  # likewise

    def page(self, process: Literal["receive", "watch", "mirror"]) -> str:
        """Where others reach a process."""
        port: int = getattr(self, f"{process}_port")
        return getattr(self, f"{process}_url", "").rstrip("/") or f"http://{here(self.host)}:{port}"


@dataclass(frozen=True)
class Influx:
    url: str = ""  # "": no mirror
    token: Secret = NONE  # of 2.x and 3; for 1.8 "user:password"
    org: str = "lifeline"
    database: str = "lifeline"  # or bucket; the tiers' names begin with it
    ca_file: Path | None = None  # None: the authorities that the system trusts
    timeout: Annotated[Seconds, Between(0.001)] = 10.0  # [s] of a request
    batch: Annotated[int, Between(1)] = 10_000  # [1] lines of a request
    poll: Annotated[Seconds, Between(0.01)] = 1.0  # [s] between looks for what is new
    retention: Seconds = 30 * 86400.0  # [s] of readings; 0: for ever
    minutes: Seconds = 365 * 86400.0  # [s] that means of a minute are kept; 0: for ever
    hours: Seconds = 3650 * 86400.0  # [s] that means of an hour are kept; 0: for ever
    tiers: Literal["auto", "server", "mirror", "none"] = "auto"  # who makes the means; auto: 1.x itself, else the mirror
    spectra: Seconds = 600.0  # [s] of a stretch whose spectra are told of bridges' accelerometers; 0: none
    desks: tuple[str, ...] = ()  # desks whose figures are read, each by its own address; (): that of watch.desk


@dataclass(frozen=True)
class Canary:
    every: Seconds = 60.0  # [s] between readings of our own that must come all the way to a push; 0: none
    silence: Seconds = 180.0  # [s] without one, before it is a warning; at least two canaries
    channel: str = ""  # that hears each, marked as a test; "": none
    username: str = ""  # under which it is published; "": that of [broker]
    password: Secret = NONE
    cert_file: Path | None = None  # likewise
    key_file: Path | None = None


@dataclass(frozen=True)
class Log:
    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


@dataclass(frozen=True)
class Config:
    """All settings; paths are absolute once loaded."""

    city: City
    broker: Broker = field(default_factory=Broker)
    journal: Journal = field(default_factory=Journal)
    watch: Watch = field(default_factory=Watch)
    lake: Lake = field(default_factory=Lake)
    desk: Desk = field(default_factory=Desk)
    oidc: Oidc = field(default_factory=Oidc)
    reports: Reports = field(default_factory=Reports)
    health: Health = field(default_factory=Health)
    influx: Influx = field(default_factory=Influx)
    canary: Canary = field(default_factory=Canary)
    log: Log = field(default_factory=Log)
    maps: dict[str, Path] = field(default_factory=dict)  # asset, district or domain -> file of its pipes or its network
    channels: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)  # name -> table; it may hold secrets
    terms: dict[str, dict[str, Any]] = field(default_factory=dict)  # level -> deadlines that differ from the defaults
    folder: Path = Path()  # what relative paths in [channels] are relative to

    def __post_init__(self) -> None:
        used = [("desk.port", self.desk.host, self.desk.port)]
        used += [
            (f"health.{k}", self.health.host, getattr(self.health, k)) for k in ("receive_port", "watch_port", "mirror_port")
        ]
        taken: dict[tuple[str, int], str] = {}
        for key, host, port in used:
            if taken.setdefault((host, port), key) != key:
                raise ValueError(f"{key}: {port} is already the port of {taken[host, port]}")
        for name, path in self.maps.items():
            if not path.is_file():
                raise ValueError(f"maps.{name}: {path} is no file")
        for name, table in self.channels.items():
            if table.get("type") is None:
                raise ValueError(f'channels.{name}.type: is missing; say what it is, such as type = "webhook"')


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read, fill in ${VARIABLES}, override from LIFELINE_SECTION_KEY, check; everything wrong is said at once."""
    problems: list[str] = []
    used: set[str] = set()
    environ = {ALIASES[k]: v for k, v in environ.items() if k in ALIASES} | dict(environ)
    tables = _expanded(_tables(path), environ, "", used, problems)
    _override(tables, {k: v for k, v in environ.items() if k.startswith(PREFIX) and k not in used}, problems)
    folder = path.resolve().parent
    try:
        config = build(Config, tables, "", folder=folder, given={"folder": folder})
    except ConfigRefused as why:
        raise ConfigRefused([f"{path}: {p}" for p in (*problems, *why.problems)]) from why
    if problems:
        raise ConfigRefused([f"{path}: {p}" for p in problems])
    return complete(config)


def complete(config: Config) -> Config:
    """With the defaults that follow from other settings."""
    data = config.folder.resolve() / config.city.data
    url = f"http://{here(config.desk.host)}:{config.desk.port}"
    return replace(
        config,
        city=replace(config.city, data=data),
        broker=replace(config.broker, client_id=config.broker.client_id or f"lifeline-{config.city.name}"),
        watch=replace(config.watch, desk=config.watch.desk or url),
        desk=replace(
            config.desk,
            database=config.desk.database or Secret(f"sqlite:///{data / 'desk.db'}"),
            public_url=config.desk.public_url or url,
        ),
    )


def here(host: str) -> str:
    """What listens on all addresses is reached on this machine's own."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104  compared, not bound


def _tables(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as why:
        raise ConfigRefused([f"{path}: cannot be read: {why.strerror}"]) from why
    except UnicodeDecodeError as why:
        raise ConfigRefused([f"{path}: is not UTF-8 (byte {why.start}); save it as UTF-8"]) from why
    except tomllib.TOMLDecodeError as why:
        raise ConfigRefused([f"{path}: is not TOML: {why}"]) from why


def _expanded(value: Any, environ: Mapping[str, str], where: str, used: set[str], problems: list[str]) -> Any:
    """The same tables, with ${NAME} replaced in every text."""
    if isinstance(value, dict):
        return {k: _expanded(v, environ, f"{where}.{k}".lstrip("."), used, problems) for k, v in value.items()}
    if isinstance(value, list):
        return [_expanded(v, environ, f"{where}[{i}]", used, problems) for i, v in enumerate(value)]
    if not isinstance(value, str) or not VARIABLE.search(value):
        return value

    def say(found: re.Match[str]) -> str:
        literal, name, default = found.groups()
        if literal:
            return found[0][1:]
        used.add(name)
        if name not in environ and default is None:
            problems.append(f"{where}: ${{{name}}} is not set in the environment; set it, or write ${{{name}:-default}}")
        return environ.get(name, default or "")

    return Spoken(VARIABLE.sub(say, value), value)


def _override(tables: dict[str, Any], environ: Mapping[str, str], problems: list[str]) -> None:
    """Put LIFELINE_SECTION_KEY into its place."""
    known = {f"{PREFIX}{s}_{k}".upper(): (s, k, kind) for s, cls in SECTIONS.items() for k, kind in keys(cls).items()}
    for name, text in environ.items():
        if name not in known:
            problems.append(f"{name}: this variable names no key; {suggestion(name, known)}")
            continue
        section, key, kind = known[name]
        if kind == tuple[str, ...]:
            problems.append(f"{name}: {section}.{key} is a list; set it in the file, where ${{VARIABLES}} may be used")
        elif isinstance(table := tables.setdefault(section, {}), dict):
            for other in {f"{key}_file", key.removesuffix("_file")} & keys(SECTIONS[section]).keys():
                table.pop(other, None)
            table[key] = Spoken(text, name)


SECTIONS: Final[dict[str, type]] = {
    "city": City, "broker": Broker, "journal": Journal, "watch": Watch, "lake": Lake, "desk": Desk, "oidc": Oidc,
    "reports": Reports, "health": Health, "influx": Influx, "canary": Canary, "log": Log,
}  # fmt: skip
