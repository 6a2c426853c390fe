"""Receivers of the routing file as channels of the desk."""

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from alerts.routing.document import Part
from alerts.routing.tree import Way

SUPPORTED: Final = ("webhook_configs", "email_configs")
WEBHOOK: Final = ("send_resolved", "url", "url_file", "http_config", "max_alerts", "timeout")
HTTP: Final = (
    "authorization", "basic_auth", "bearer_token", "bearer_token_file", "follow_redirects", "enable_http2", "proxy_url",
    "tls_config", "no_proxy", "proxy_from_environment", "proxy_connect_header", "oauth2", "http_headers",
)  # fmt: skip
REFUSED: Final = ("oauth2", "http_headers", "no_proxy", "proxy_from_environment", "proxy_connect_header")
EMAIL: Final = (
    "send_resolved", "to", "from", "smarthost", "hello", "auth_username", "auth_password", "auth_password_file", "auth_secret",
    "auth_secret_file", "auth_identity", "require_tls", "tls_config", "headers", "html", "text", "force_implicit_tls",
    "threading",
)  # fmt: skip
OWN_WORDS: Final = ("headers", "html", "text", "threading")
SUBMISSIONS: Final = 465  # [1] the port on which mail is encrypted from the first byte

Table = dict[str, Any]
Ways = dict[str, tuple[Way, ...]]


def channels(
    part: Part, glob: Mapping[str, Part], ours: Collection[str]
) -> tuple[dict[str, tuple[Way, ...]], dict[str, Table]]:
    """(receiver -> its channels, tables of new channels). ours: names under [channels] of the configuration."""
    ways: Ways = {}
    tables: dict[str, Table] = {}
    for one in part.items():
        entries = one.entries()
        name = entries["name"].text() if "name" in entries else ""
        if not name:
            one.refuse("a receiver needs a name")
        elif name in ways:
            entries["name"].refuse(f"there is another receiver {name!r}")
        elif name in ours:
            ways[name] = (Way(name),)
            if len(entries) > 1:
                one.note(f"[channels.{name}] of the configuration takes the place of what stands here")
        else:
            ways[name] = tuple(_integrations(name, entries, glob, {*ours, *tables}, tables))
    return ways, tables


def _integrations(
    name: str, entries: Mapping[str, Part], glob: Mapping[str, Part], taken: set[str], tables: dict[str, Table]
) -> list[Way]:
    made: list[Way] = []
    for key, part in entries.items():
        if key == "name":
            continue
        if key not in SUPPORTED:
            known = key.endswith("_configs")
            why = f"is not supported; [channels.{slug(name)}] in the configuration could take the place of this receiver"
            part.refuse(why if known else f"no such key; a receiver has name, {' and '.join(SUPPORTED)}")
            continue
        for one in part.items():
            table, ends = _webhook(one, glob) if key == "webhook_configs" else _email(one, glob)
            channel = _free(slug(name), taken)
            taken.add(channel)
            tables[channel] = {**table, "at": one.path}
            made.append(Way(channel, ends))
    return made


def slug(name: str) -> str:
    """A receiver's name as a channel may be called."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", name)[:48]
    known = plain.strip("-")
    return plain if known else f"receiver-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _free(name: str, taken: Collection[str]) -> str:
    return next(n for n in (name, *(f"{name}-{i}" for i in range(2, 10_000))) if n not in taken)


def _webhook(part: Part, glob: Mapping[str, Part]) -> tuple[Table, bool]:
    has = part.entries(WEBHOOK)
    table: Table = {"type": "webhook"}
    if url := _secret(has, "url"):
        table["url"] = url
    else:
        part.refuse("a webhook needs its url")
    if "max_alerts" in has and has["max_alerts"].text() != "0":
        has["max_alerts"].note("not used: the desk sends one warning a message")
    if "timeout" in has and has["timeout"].text() not in {"0", "0s"}:
        table["timeout"] = has["timeout"].text()
    if http := has.get("http_config", glob.get("http_config")):
        _http(http, table)
    return table, _ends(has)


def _http(part: Part, table: Table) -> None:
    has = part.entries(HTTP)
    for key in REFUSED:
        if key in has:
            has[key].refuse("is not supported; give the receiver's name to a channel of the configuration instead")
    if token := _secret(has, "bearer_token"):
        table["token"] = token
    if auth := has.get("authorization"):
        _authorization(auth, table)
    if basic := has.get("basic_auth"):
        said = basic.entries(("username", "username_file", "password", "password_file"))
        user, password = _secret(said, "username"), _secret(said, "password")
        table["url"] = re.sub(r"^(https?://)", lambda m: f"{m[1]}{_quoted(user)}:{_quoted(password)}@", table.get("url", ""))
    if "proxy_url" in has:
        table["proxy"] = has["proxy_url"].text()
    if tls := has.get("tls_config"):
        _tls(tls, table)


def _authorization(part: Part, table: Table) -> None:
    said = part.entries(("type", "credentials", "credentials_file"))
    if "type" in said and said["type"].text().lower() != "bearer":
        said["type"].refuse("only Bearer is supported")
    table["token"] = _secret(said, "credentials")


def _tls(part: Part, table: Table) -> None:
    said = part.entries()
    if "insecure_skip_verify" in said:
        table["verify"] = not said["insecure_skip_verify"].flag()
    for key in said.keys() - {"insecure_skip_verify"}:
        said[key].refuse("is not supported; give the receiver's name to a channel of the configuration instead")


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _email(part: Part, glob: Mapping[str, Part]) -> tuple[Table, bool]:
    has = part.entries(EMAIL)
    merged = {**{k.removeprefix("smtp_"): v for k, v in glob.items() if k.startswith("smtp_")}, **has}
    table: Table = {"type": "smtp"}
    to = [a.strip() for a in has["to"].text().split(",") if a.strip()] if "to" in has else []
    if not to:
        part.refuse("to: is missing")
    table["to"] = to
    table["sender"] = merged["from"].text() if "from" in merged else ""
    if not table["sender"]:
        part.refuse("from: is missing; or give smtp_from under global")
    port = _smarthost(part, merged, table)
    strict = merged["require_tls"].flag() if "require_tls" in merged else True
    table["security"] = "tls" if port == SUBMISSIONS else "starttls" if strict else "none"
    for key, of in (("auth_username", "username"), ("auth_password", "password")):
        if value := _secret(merged, key):
            table[of] = value
    for key in ("auth_secret", "auth_secret_file", "auth_identity", "tls_config", "force_implicit_tls"):
        if key in has:
            has[key].refuse("is not supported; give the receiver's name to a channel of the configuration instead")
    for key in OWN_WORDS:
        if key in has:
            has[key].note("not used: the desk has words of its own, in both languages")
    return table, _ends(has)


def _smarthost(part: Part, merged: Mapping[str, Part], table: Table) -> int:
    said = merged.get("smarthost")
    if said is None:
        part.refuse("smarthost: is missing; or give smtp_smarthost under global")
        return 0
    host, _, port = said.text().rpartition(":")
    if not host or not port.isdigit():
        said.refuse(f"must be HOST:PORT, not {said.text()!r}")
        return 0
    table |= {"host": host.strip("[]"), "port": int(port)}
    return int(port)


def _ends(has: Mapping[str, Part]) -> bool:
    """Who was told is told of the end, unless the file says otherwise; also by mail, where Alertmanager leaves it out."""
    return has["send_resolved"].flag() if "send_resolved" in has else True


def _secret(has: Mapping[str, Part], key: str) -> str:
    """A value that may stand in a file of its own."""
    if key in has:
        return has[key].text()
    if part := has.get(f"{key}_file"):
        try:
            return (part.problems.file.parent / Path(part.text())).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as why:
            part.refuse(f"cannot be read: {why}")
    return ""
