"""A database that the desk could not use is said before it starts, in plain words."""

import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lifeline.config import Config, Desk, Secret
from lifeline.words import Unusable
from pipeline.check import database, summary
from tests import town


def with_url(folder: Path, url: str) -> Config:
    config = town.configured(folder)
    config.city.data.mkdir(parents=True, exist_ok=True)
    return replace(config, desk=Desk(database=Secret(url)))


def test_a_driver_that_is_not_installed_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    config = with_url(tmp_path, "postgresql+psycopg://desk:secret@db.example.org/desk")
    (found,) = database(config)
    assert not found.well
    assert "needs the driver psycopg, which is not installed" in found.what
    assert "city-lifeline[postgres]" in found.mend
    assert "secret" not in found.what
    with pytest.raises(Unusable, match="needs the driver psycopg"):
        summary(config)


@pytest.mark.parametrize("url", ["nonsense", "foo://x", "postgresql+psycopg://a:secret@h:port/d"])
def test_a_url_that_is_none_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    config = with_url(tmp_path, url)
    (found,) = database(config)
    assert not found.well
    assert "secret" not in found.what
    with pytest.raises(Unusable, match=r"desk\.database"):
        summary(config)


def test_a_database_that_cannot_be_opened_is_amiss_but_no_wrong_setting(tmp_path: Path) -> None:
    config = with_url(tmp_path, f"sqlite:///{tmp_path}/nowhere/desk.db")
    (found,) = database(config)
    assert not found.well
    assert "no directory" in found.what
    (tmp_path / "folder.db").mkdir()
    config = with_url(tmp_path, f"sqlite:///{tmp_path}/folder.db")
    (found,) = database(config)
    assert (found.well, "cannot be opened" in found.what) == (False, True)
    assert "database" in summary(config)


def test_looking_does_not_make_the_database(tmp_path: Path) -> None:
    path = tmp_path / "data" / "desk.db"
    config = with_url(tmp_path, f"sqlite:///{path}")
    (found,) = database(config)
    assert found.well
    assert not path.exists()
    sqlite3.connect(path).close()
    (found,) = database(config)
    assert found.well
