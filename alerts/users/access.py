"""Credentials: made, checked, ended.

A token reads "ll_<id>_<secret>"; only an argon2id hash of the secret is kept. What was checked once is remembered by its
SHA-256 in this process, so that argon2 is paid once and not for every request; whether the token still holds is asked of the
database each time.
"""

import secrets
from collections import OrderedDict
from hashlib import sha256
from hmac import compare_digest
from threading import Lock
from typing import Any, Final, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, bindparam, select, update

from alerts import rows
from alerts.roles import Role
from alerts.tables import Database, insert_new
from alerts.users.tables import tokens, users
from lifeline.model import NS

MACHINE: Final = "machine"  # whoever holds the token of the configuration: watch, receive, the command line on this machine
OIDC: Final = "oidc"  # in whose name users are made that a provider of identities knows
SESSION: Final = 12 * 3600  # [s] that a login holds
LEAST: Final = 10  # [1] characters of a password
REMEMBERED: Final = 1000  # [1] credentials
TRIES: Final = 5  # [1] wrong passwords of a user before logins have to wait
PAUSE: Final = 60  # [s] that they wait then

_TOKEN: Final = (
    select(
        tokens.c.secret,
        tokens.c.user,
        tokens.c.expires,
        tokens.c.ended,
        users.c.role,
        users.c.person,
        users.c.ended.label("gone"),
    )
    .join(users, users.c.name == tokens.c.user)
    .where(tokens.c.id == bindparam("id"))
)
_USER: Final = select(users).where(users.c.name == bindparam("name"))


class Who(NamedTuple):
    """Somebody whose credential holds."""

    name: str
    role: Role
    person: str = ""  # in the file of people


class Wrong(Exception):
    """What was asked for cannot be done; the text says why."""


class Access:
    """Checks credentials and makes them. machine: the token of the configuration; "": none holds."""

    def __init__(self, database: Database, machine: str = "") -> None:
        self.database, self._machine = database, machine
        self._hasher = PasswordHasher()
        self._good: OrderedDict[bytes, str] = OrderedDict()  # SHA-256 of secret and hash -> the hash that it fits
        self._failed: dict[str, list[int]] = {}  # user -> when a password was wrong [ns]
        self._lock = Lock()

    def bearer(self, token: str, at: int) -> Who | None:
        """Whose token it is, if it holds. at [ns]"""
        if self._machine and compare_digest(token.encode(), self._machine.encode()):
            return Who(MACHINE, Role.ADMIN)
        parts = token.split("_")
        if len(parts) != 3 or parts[0] != "ll":
            return None
        with self.database.read() as db:
            row = db.execute(_TOKEN, {"id": parts[1]}).one_or_none()
        if row is None or row.ended or row.gone or (row.expires or at + 1) <= at or not self._fits(row.secret, parts[2]):
            return None
        return Who(row.user, Role[row.role], row.person)

    def password(self, name: str, password: str, at: int) -> Who | None:
        """Who it is, if the password is right; after a few wrong ones a user has to wait. at [ns]"""
        recent = [t for t in self._failed.get(name, []) if t > at - PAUSE * NS]
        if len(recent) >= TRIES:
            return None
        with self.database.read() as db:
            row = db.execute(_USER, {"name": name}).one_or_none()
        if row is not None and row.password and not row.ended and self._fits(row.password, password):
            self._failed.pop(name, None)
            return Who(row.name, Role[row.role], row.person)
        if row is not None:  # of names that nobody has nothing is kept: many of them would push out what counts
            self._failed[name] = [*recent, at]
        return None

    def add(self, name: str, role: Role, password: str, by: str, at: int, person: str = "", subject: str = "") -> None:
        """A new user; Wrong where there is one of this name, or the password is too short; "": none. at [ns]"""
        if not name.strip() or name != name.strip() or name in {MACHINE, OIDC}:
            raise Wrong(f"{name!r} is no name for a user")
        with self.database.write() as db:
            facts = {"role": role.name, "person": person, "password": self._hashed(password) if password else None}
            facts |= {"subject": subject}
            if not insert_new(db, users, name=name, made=at, **facts):
                raise Wrong(f"there is a user {name} already")
            rows.record(db, at, "user_added", by=by, warning=None, user=name, role=role.name)

    def known_elsewhere(self, subject: str, name: str, role: Role, at: int) -> Who:
        """Who a provider of identities says has come, with the role that it gives; made at the first time. at [ns]

        Wrong where that user has ended, or the name is somebody else's: names alone prove nothing.
        """
        with self.database.read() as db:
            row = db.execute(select(users).where(users.c.subject == subject)).one_or_none()
        if row is None:
            self.add(name, role, "", OIDC, at, subject=subject)
            return Who(name, role)
        if row.ended:
            raise Wrong(f"the user {row.name} has ended")
        if row.role != role.name:
            self.change(row.name, OIDC, at, role=role)
        return Who(row.name, role, row.person)

    def change(self, name: str, by: str, at: int, **what: Any) -> None:
        """Another role, password, person, or the end of a user; Wrong where there is none, or nothing to change. at [ns]"""
        if not what:
            raise Wrong(f"say what is to change of {name}")
        values = {k: v.name if isinstance(v, Role) else v for k, v in what.items() if k != "password"}
        if "password" in what:
            values["password"] = self._hashed(what["password"])
        with self.database.write() as db:
            if db.execute(update(users).where(users.c.name == name).values(**values)).rowcount == 0:
                raise Wrong(f"there is no user {name}")
            if "password" in what or values.get("ended"):
                self._end(db, at, tokens.c.user == name, tokens.c.kind == "session")
            rows.record(
                db,
                at,
                "user_changed",
                by=by,
                warning=None,
                user=name,
                **{k: str(v) for k, v in values.items() if k != "password"},
            )

    def token(self, user: str, by: str, at: int, *, days: float | None, note: str = "", kind: str = "token") -> str:
        """A new token of a user, shown once. days: how long it holds; None: until it is revoked. at [ns]"""
        name, secret = secrets.token_hex(8), secrets.token_urlsafe(32).replace("_", "-")
        expires = None if days is None else at + round(days * 86_400 * NS)
        with self.database.write() as db:
            if db.execute(_USER, {"name": user}).one_or_none() is None:
                raise Wrong(f"there is no user {user}")
            facts = {"secret": self._hasher.hash(secret), "kind": kind, "note": note, "made": at, "expires": expires}
            db.execute(tokens.insert().values(id=name, user=user, **facts))
            rows.record(db, at, f"{kind}_made", by=by, warning=None, user=user, token=name, note=note)
        return f"ll_{name}_{secret}"

    def revoke(self, token: str, by: str, at: int) -> None:
        """A token holds no more; it may be given whole or by its id. at [ns]"""
        name = token.split("_")[1] if token.startswith("ll_") else token
        with self.database.write() as db:
            if not self._end(db, at, tokens.c.id == name):
                raise Wrong(f"there is no token {name} that holds")
            rows.record(db, at, "token_ended", by=by, warning=None, token=name)

    def _end(self, db: Connection, at: int, *which: Any) -> int:
        return db.execute(update(tokens).where(*which, tokens.c.ended.is_(None)).values(ended=at)).rowcount

    def _hashed(self, password: str) -> str:
        if len(password) < LEAST:
            raise Wrong(f"a password has at least {LEAST} characters")
        return self._hasher.hash(password)

    def _fits(self, known: str, secret: str) -> bool:
        digest = sha256(f"{known}\0{secret}".encode()).digest()
        with self._lock:
            if digest in self._good:
                self._good.move_to_end(digest)
                return True
        try:
            self._hasher.verify(known, secret)
        except (VerificationError, InvalidHashError):
            return False
        with self._lock:
            self._good[digest] = known
            while len(self._good) > REMEMBERED:
                self._good.popitem(last=False)
        return True


def listed(database: Database) -> list[dict[str, Any]]:
    """All users, without their secrets."""
    shown = [c for c in users.columns if c.name != "password"]
    with database.read() as db:
        return [dict(r) for r in db.execute(select(*shown).order_by(users.c.name)).mappings()]


def tokens_of(database: Database, user: str) -> list[dict[str, Any]]:
    """Tokens and sessions of a user, without their secrets."""
    shown = [c for c in tokens.columns if c.name != "secret"]
    with database.read() as db:
        return [dict(r) for r in db.execute(select(*shown).where(tokens.c.user == user).order_by(tokens.c.made)).mappings()]
