"""The tables of people and rosters. Instants are [ns] UTC, desk clock. Rows are added; what is taken back stays and says so."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from alerts.database import META

duty_persons = Table(  # what has been changed since the file was written, one row a change; NULL: as before
    "duty_persons", META,
    Column("id", Integer, primary_key=True),
    Column("person", Text, nullable=False),
    Column("zh", Text),
    Column("en", Text),
    Column("unit", Text),
    Column("roles", Text),  # JSON list
    Column("language", Text),
    Column("contacts", Text),  # JSON object, in place of all there were
    Column("active", Boolean),  # no: is never on duty
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)  # fmt: skip

duty_overrides = Table(
    "duty_overrides", META,
    Column("id", Integer, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("person", Text, nullable=False),  # who comes; "": nobody
    Column("instead", Text, nullable=False),  # whom they replace; "*": everybody; "": nobody, they come in addition
    Column("start", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),  # when it was entered
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("origin", Text, nullable=False, server_default=""),  # name of the calendar it was imported from
    Index("duty_overrides_of", "unit", "role", "until"),
)  # fmt: skip

duty_cancellations = Table(
    "duty_cancellations", META,
    Column("override", Integer, ForeignKey("duty_overrides.id"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)  # fmt: skip

duty_handovers = Table(
    "duty_handovers", META,
    Column("id", Integer, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("text", Text, nullable=False),
    Index("duty_handovers_of", "unit", "role", "at"),
)  # fmt: skip
