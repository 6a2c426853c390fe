"""The desk's tables. Instants are [ns] UTC; levels and states travel by name.

A column that is added later has a server default: databases of older desks grow it when they are opened.
"""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

import alerts.bulletins.tables
import alerts.dangers.tables
import alerts.duty.tables  # noqa: F401  these too are the desk's
from alerts import canary as _canary  # noqa: F401  its table is of the same database
from alerts import ways  # its tables are part of every desk's database
from alerts.database import META, Database, insert_new, put
from alerts.routing import tables as _routing  # noqa: F401  its tables are of the same database

__all__ = [
    "META", "Database", "audit", "cases", "chains", "changes", "failing", "heartbeats", "holds", "insert_new",
    "members", "outbox", "put", "seals",
    "stages", "standings", "steps", "warnings", "ways",
]  # fmt: skip

changes = Table(
    "changes", META,
    Column("id", Text, primary_key=True),
    Column("t", BigInteger, nullable=False),  # sensor clock
    Column("at", BigInteger, nullable=False),  # desk clock, when it was taken
    Column("fate", Text, nullable=False),  # accepted, late
    Column("body", Text, nullable=False),  # lifeline.model.Change as JSON
    Index("changes_t", "t"),
)  # fmt: skip

standings = Table(
    "standings", META,
    Column("key", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("asset", Text, nullable=False),
    Column("hazard", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("quantity", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("hard", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("t", BigInteger, nullable=False),
    Column("change", Text, ForeignKey("changes.id"), nullable=False),
    Index("standings_case", "asset", "hazard"),
)  # fmt: skip

warnings = Table(
    "warnings", META,
    Column("id", Text, primary_key=True),  # lifeline.model.warning_id
    Column("asset", Text, nullable=False),
    Column("hazard", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("district", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    Column("level", Text, nullable=False),
    Column("peak", Text, nullable=False),  # the gravest it has been
    Column("answered", Text, nullable=False),  # the gravest that somebody has acknowledged
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("voices", Integer, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("version", Integer, nullable=False),  # changes of level so far
    Column("risen", Integer, nullable=False),  # version of the latest rise
    Column("onset", BigInteger, nullable=False),  # sensor clock
    Column("t", BigInteger, nullable=False),  # sensor clock, of the latest change of level
    Column("raised", BigInteger, nullable=False),  # desk clock
    Column("updated", BigInteger, nullable=False),  # desk clock
    Column("pushed", BigInteger),  # desk clock: the latest rise was first delivered
    Column("latency", Float),  # [s] pushed less the sensor's instant of that rise
    Column("cleared", BigInteger),  # sensor clock
    Column("acknowledged_by", Text),
    Column("acknowledged_at", BigInteger),
    Column("comment", Text),
    Column("asked", BigInteger),  # desk clock: since when it asks for an answer
    Column("closed_by", Text),
    Column("closed_at", BigInteger),  # desk clock
    Index("warnings_case", "asset", "hazard"),
    Index("warnings_near", "state", "lat"),
    Index("warnings_onset", "onset"),
)  # fmt: skip

members = Table(
    "members", META,
    Column("warning", Text, primary_key=True),
    Column("incident", Text, nullable=False),  # the warning that leads
    Column("joined", Text),  # the warning that it was joined to; None: to none
    Column("distance", Float),  # [m]
    Column("zh", Text),  # why
    Column("en", Text),
    Column("at", BigInteger, nullable=False),  # desk clock
    Index("members_incident", "incident"),
)  # fmt: skip

holds = Table(
    "holds", META,
    Column("asset", Text, primary_key=True),
    Column("hazard", Text, primary_key=True),
    Column("due", BigInteger, nullable=False),  # desk clock: from then on it may fall
    Column("change", Text, ForeignKey("changes.id"), nullable=False),  # that would have let it fall
    Index("holds_due", "due"),
)  # fmt: skip

cases = Table(
    "cases", META,
    Column("asset", Text, primary_key=True),
    Column("hazard", Text, primary_key=True),
    Column("warning", Text, ForeignKey("warnings.id")),  # the live one
)  # fmt: skip

steps = Table(
    "steps", META,
    Column("warning", Text, ForeignKey("warnings.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("level", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("change", Text, ForeignKey("changes.id"), nullable=False),
    Column("t", BigInteger, nullable=False),  # sensor clock
    Column("at", BigInteger, nullable=False),  # desk clock
    Column("pushed", BigInteger),
    Column("latency", Float),  # [s]
)  # fmt: skip

outbox = Table(
    "outbox", META,
    Column("id", Text, primary_key=True),  # the notice's
    Column("warning", Text, ForeignKey("warnings.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("person", Text, nullable=False, server_default=""),  # "": the channel's own receivers
    Column("what", Text, nullable=False),
    Column("body", Text, nullable=False),  # Notice as JSON
    Column("t", BigInteger, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", Text, nullable=False),  # waiting, sent, dropped, superseded
    Column("lease", BigInteger, nullable=False),  # held until
    Column("holder", Text),
    Column("words", Text),  # the provider's last
    Column("first", BigInteger),  # first attempt
    Column("last", BigInteger),  # last attempt
    Column("level", Text, nullable=False, server_default=""),  # that it tells of
    Column("delivered", BigInteger),  # the provider says that it has arrived
    Index("outbox_due", "state", "channel", "due"),
    Index("outbox_level", "state", "channel", "level"),
    Index("outbox_order", "warning", "channel", "version"),
)  # fmt: skip

chains = Table(
    "chains", META,
    Column("warning", Text, ForeignKey("warnings.id"), primary_key=True),
    Column("version", Integer, primary_key=True),  # of the rise that asks for an answer
    Column("step", Integer, primary_key=True),
    Column("level", Text, nullable=False),
    Column("due", BigInteger, nullable=False),  # desk clock
    Column("fate", Text, nullable=False),  # waiting, told, answered, over, outrun
    Column("done", BigInteger),  # desk clock
    Index("chains_due", "fate", "due"),
)  # fmt: skip

stages = Table(
    "stages", META,
    Column("warning", Text, ForeignKey("warnings.id"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("due", BigInteger, nullable=False),  # desk clock
    Column("done", BigInteger),  # desk clock
    Column("by", Text),
    Column("body", Text),  # alerts.stages.Done as JSON
    Index("stages_due", "done", "due"),
)  # fmt: skip

audit = Table(
    "audit", META,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("act", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("warning", Text),
    Column("detail", Text, nullable=False),  # JSON
    Index("audit_warning", "warning"),
)  # fmt: skip

seals = Table(
    "seals", META,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("audit", Integer, ForeignKey("audit.id"), nullable=False, unique=True),
    Column("seal", Text, nullable=False),  # 64 hex digits
    Column("at", BigInteger, nullable=False),  # desk clock
    Index("seals_audit", "audit"),
)  # fmt: skip

heartbeats = Table(
    "heartbeats", META,
    Column("source", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),  # desk clock
    Column("body", Text, nullable=False),  # JSON
)  # fmt: skip

failing = Table(
    "failing", META,
    Column("source", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),  # desk clock: every heartbeat from this one on says "not ready"
)  # fmt: skip
