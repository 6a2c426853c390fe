"""Conditions on labels: name="value", !=, =~, !~, several joined by commas, in braces or without.

Read as Alertmanager 0.27 and later does: by the UTF-8 rules first, by the classic ones where those refuse or disagree
(github.com/prometheus/alertmanager, docs/configuration.md, "Label matchers").
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from alerts.routing.patterns import BadPattern, checked, found

Labels = Mapping[str, str]

LITERAL: Final = r"[^\s{}!=~,\\\"'`]+"
QUOTED: Final = r'"(?:[^"\\\n]|\\.)*"'
SIGN: Final = r"=~|!~|!=|="
UTF8: Final = re.compile(rf"\s*({LITERAL}|{QUOTED})\s*({SIGN})\s*({LITERAL}|{QUOTED})\s*")
CLASSIC: Final = re.compile(rf"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*({SIGN})\s*(.*?)\s*", re.DOTALL)
ESCAPE: Final = re.compile(r'\\(x[0-9a-fA-F]{2}|[0-7]{3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[abfnrtv\\"])')
PLAIN: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
OURS: Final = re.compile(r'\\([\\n"])')


class BadMatcher(Exception):
    """Not of the form name="value" (also !=, =~, !~)."""


class Sign(StrEnum):
    """How a label is compared."""

    IS = "="
    IS_NOT = "!="
    LIKE = "=~"
    UNLIKE = "!~"

    @property
    def regex(self) -> bool:
        return self in {Sign.LIKE, Sign.UNLIKE}

    @property
    def equal(self) -> bool:
        return self in {Sign.IS, Sign.LIKE}


class Matcher(NamedTuple):
    """One condition. A label that is not there is the empty text."""

    name: str
    sign: Sign
    value: str

    def fits(self, labels: Labels) -> bool:
        """Whether the labels satisfy it."""
        has = labels.get(self.name, "")
        same = found(self.value, has) if self.sign.regex else has == self.value
        return same is self.sign.equal

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        name = self.name if re.fullmatch(LITERAL, self.name) else f'"{self.name}"'
        return f'{name}{self.sign}"{value}"'


def matcher(name: str, sign: Sign, value: str) -> Matcher:
    """A condition whose expression has been looked at."""
    if not name:
        raise BadMatcher("a matcher needs the name of a label")
    try:
        return Matcher(name, sign, checked(value) if sign.regex else value)
    except BadPattern as why:
        raise BadMatcher(str(why)) from why


def fits(matchers: Iterable[Matcher], labels: Labels) -> bool:
    """Whether all of them are satisfied."""
    return all(m.fits(labels) for m in matchers)


def parse(text: str) -> tuple[Matcher, ...]:
    """One or several conditions out of a text; BadMatcher says what is wrong."""
    classic, refusal = None, None
    try:
        classic = tuple(_classic(text))
    except BadMatcher as why:
        refusal = why
    try:
        modern = tuple(_utf8(text))
    except BadMatcher:
        modern = None
    read = classic if classic is not None else modern
    if read is None:
        raise refusal or BadMatcher(text)
    return tuple(matcher(*m) for m in read)


def _utf8(text: str) -> Iterator[Matcher]:
    rest, braced = _unbraced(text)
    at = 0
    while at < len(rest):
        one = UTF8.match(rest, at)
        if one is None:
            raise BadMatcher(f"{text!r}: no matcher at {rest[at:]!r}")
        yield Matcher(_unquoted(one[1], text), Sign(one[2]), _unquoted(one[3], text))
        at = one.end()
        if at < len(rest):
            if rest[at] != ",":
                raise BadMatcher(f"{text!r}: expected a comma before {rest[at:]!r}")
            at += 1
            if not rest[at:].strip():
                return
    if not at and not braced:
        raise BadMatcher("an empty text is no matcher")


def _classic(text: str) -> Iterator[Matcher]:
    rest, braced = _unbraced(text)
    parts = _split(rest, text)
    if parts and not parts[-1].strip() and (len(parts) > 1 or braced):
        parts.pop()
    for part in parts:
        one = CLASSIC.fullmatch(part)
        if one is None:
            raise BadMatcher(f'{text!r} is no matcher; write name="value", or one of !=, =~, !~')
        yield Matcher(one[1], Sign(one[2]), _classic_value(one[3], text))


def _unbraced(text: str) -> tuple[str, bool]:
    inner = text.strip()
    opened, closed = inner.startswith("{"), inner.endswith("}")
    if opened != closed:
        raise BadMatcher(f"{text!r}: of {{ and }} one is missing")
    return (inner[1:-1], True) if opened and closed else (inner, False)


def _split(rest: str, text: str) -> list[str]:
    """At the commas outside of quotes."""
    parts, begun, inside, escaped = [], 0, False, False
    for i, c in enumerate(rest):
        if escaped:
            escaped = False
        elif c == "\\":
            escaped = True
        elif c == '"':
            inside = not inside
        elif c == "," and not inside:
            parts.append(rest[begun:i])
            begun = i + 1
    if inside:
        raise BadMatcher(f'{text!r}: a closing " is missing')
    return [*parts, rest[begun:]]


def _classic_value(value: str, text: str) -> str:
    """Quotes stand on both sides or nowhere; a backslash that escapes nothing is itself."""
    quoted = len(value) > 1 and value.startswith('"') and value.endswith('"')
    inner = value[1:-1] if quoted else value
    if '"' in OURS.sub("", inner):
        raise BadMatcher(f'{text!r}: " inside a value is written \\"')
    return OURS.sub(lambda m: "\n" if m[1] == "n" else m[1], inner)


def _unquoted(token: str, text: str) -> str:
    """A string literal of Go."""
    if not token.startswith('"'):
        return token
    inner = token[1:-1]
    if "\\" in ESCAPE.sub("", inner):
        raise BadMatcher(f"{text!r}: an unknown escape; a backslash is written \\\\")
    try:
        return b"".join(_pieces(inner)).decode()
    except (UnicodeDecodeError, ValueError, OverflowError) as why:
        raise BadMatcher(f"{text!r}: not UTF-8 when its escapes are read") from why


def _pieces(inner: str) -> Iterator[bytes]:
    at = 0
    for one in ESCAPE.finditer(inner):
        yield inner[at : one.start()].encode()
        yield _escaped(one[1])
        at = one.end()
    yield inner[at:].encode()


def _escaped(said: str) -> bytes:
    if said in PLAIN:
        return PLAIN[said].encode()
    if said[0] in "uU":
        return chr(int(said[1:], 16)).encode()
    return bytes([int(said[1:], 16) if said[0] == "x" else int(said, 8)])
