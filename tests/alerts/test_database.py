"""Databases of older desks."""

from pathlib import Path

from sqlalchemy import create_engine, inspect, make_url, text

from alerts.database import LOST, _patience
from alerts.tables import META, Database, outbox
from tests.postgres import Postgres


def test_a_database_of_an_older_desk_grows_the_columns_it_lacks_and_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    Database(url).close()
    old = create_engine(url)
    with old.begin() as db:
        db.execute(text("PRAGMA foreign_keys=OFF"))
        db.execute(text("DROP INDEX changes_t"))
        db.execute(text("ALTER TABLE outbox DROP COLUMN person"))
        db.execute(
            text(
                "INSERT INTO outbox (id, warning, version, channel, what, body, t, made, due, attempts, state, lease)"
                " VALUES ('n', 'w', 1, 'phone', 'raised', '{}', 1, 1, 1, 0, 'sent', 0)"
            )
        )
    old.dispose()

    grown = Database(url)

    with grown.read() as db:
        there = inspect(db)
        assert {c["name"] for c in there.get_columns("outbox")} == {c.name for c in outbox.columns}
        assert {i["name"] for t in META.tables for i in there.get_indexes(t)} >= {"changes_t", "outbox_due"}
        assert db.execute(outbox.select()).mappings().one()["person"] == ""
    grown.close()


def test_a_postgresql_that_answers_nothing_is_noticed_and_the_operator_decides_how_soon(postgres: Postgres) -> None:
    made = Database(postgres.url())
    with made.read() as db:
        info = db.connection.driver_connection.info.get_parameters()  # type: ignore[union-attr]
    made.close()
    assert {name: info[name] for name in LOST} == {name: str(value) for name, value in LOST.items()}
    told = _patience(make_url("postgresql+psycopg://desk@db/desk?tcp_user_timeout=60000"))
    assert told == {name: value for name, value in LOST.items() if name != "tcp_user_timeout"}
    assert _patience(make_url("sqlite://")) == {}
