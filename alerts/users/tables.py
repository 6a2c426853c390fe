"""Users and their credentials. Secrets are kept as argon2id hashes only. Instants are [ns] UTC, desk clock."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from alerts.database import META

users = Table(
    "users", META,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),  # alerts.roles.Role
    Column("password", Text),  # argon2id; None: no login with a password
    Column("person", Text, nullable=False, server_default=""),  # who that is in the file of people
    Column("made", BigInteger, nullable=False),
    Column("ended", BigInteger),  # may do nothing since
    Column("subject", Text, nullable=False, server_default=""),  # at a provider of identities, after its issuer; "": of our own
)  # fmt: skip

tokens = Table(
    "tokens", META,
    Column("id", Text, primary_key=True),
    Column("user", Text, ForeignKey("users.name"), nullable=False),
    Column("secret", Text, nullable=False),  # argon2id
    Column("kind", Text, nullable=False),  # token, session
    Column("note", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("expires", BigInteger),  # None: never
    Column("ended", BigInteger),  # revoked, or logged out
    Index("tokens_user", "user"),
)  # fmt: skip
