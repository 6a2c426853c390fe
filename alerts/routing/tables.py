"""Tables of routing in the desk's database. Instants are [ns] UTC."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, false

from alerts.database import META

silences: Final = Table(
    "silences", META,
    Column("id", Text, primary_key=True),
    Column("matchers", Text, nullable=False),  # JSON, as in Alertmanager's API
    Column("starts", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("during", Text, nullable=False),  # JSON: time intervals; []: all the time from start to end
    Column("red", Boolean, nullable=False),  # also hides RED hazards
    Column("by", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Index("silences_ends", "ends"),
)  # fmt: skip

suppressed: Final = Table(
    "suppressed", META,
    Column("warning", Text, ForeignKey("warnings.id"), primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("silences", Text, nullable=False),  # JSON: ids
    Column("inhibitors", Text, nullable=False),  # JSON: ids of warnings
)  # fmt: skip

groups: Final = Table(
    "groups", META,
    Column("key", Text, primary_key=True),  # route and labels
    Column("due", BigInteger, nullable=False),  # when what was held last is or was let go
)  # fmt: skip

repeats: Final = Table(
    "repeats", META,
    Column("warning", Text, ForeignKey("warnings.id"), primary_key=True),
    Column("suffix", Text, primary_key=True),  # channel, and person
    Column("every", BigInteger, nullable=False),  # [ns]
    Column("due", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("taken", Boolean, nullable=False, server_default=false()),  # also where somebody has acknowledged
    Index("repeats_due", "due"),
)  # fmt: skip

later: Final = Table(
    "later", META,
    Column("warning", Text, ForeignKey("warnings.id"), primary_key=True),
    Column("due", BigInteger, nullable=False),  # when a route that is muted by its hours speaks again
    Index("later_due", "due"),
)  # fmt: skip

external: Final = Table(
    "external", META,
    Column("fingerprint", Text, primary_key=True),  # of the labels
    Column("asset", Text, nullable=False),
    Column("hazard", Text, nullable=False),
    Column("labels", Text, nullable=False),  # JSON
    Column("annotations", Text, nullable=False),  # JSON
    Column("generator", Text, nullable=False),
    Column("ends", BigInteger, nullable=False),  # over then, unless it is said again before
    Column("stands", Boolean, nullable=False),
    Column("change", Text, nullable=False),  # lifeline.model.Change as JSON, the last that it made
    Index("external_ends", "stands", "ends"),
)  # fmt: skip

facts: Final = Table(
    "facts", META,
    Column("asset", Text, primary_key=True),
    Column("hazard", Text, primary_key=True),
    Column("labels", Text, nullable=False),  # JSON: what whoever sent it calls it
    Column("annotations", Text, nullable=False),  # JSON
    Column("generator", Text, nullable=False),
)  # fmt: skip
