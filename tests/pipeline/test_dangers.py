"""`lifeline dangers` on a database that a desk has written."""

import io
from pathlib import Path

import msgspec
import openpyxl
import pytest
from typer.testing import CliRunner

from alerts.dangers import export, ledger
from alerts.dangers.danger import Deed, Facts
from alerts.dangers.life import Act
from alerts.roles import Role
from alerts.tables import Database
from lifeline.model import NS
from lifeline.words import Unusable
from pipeline.cli import app

AT = 1_767_000_000 * NS


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two dangers, one of them struck off."""
    path = tmp_path / "lifeline.toml"
    path.write_text(f'[city]\nname = "c"\ncatalog = "catalog.csv"\ndata = "{tmp_path}"\n', "utf-8")
    (tmp_path / "catalog.csv").write_text("", "utf-8")
    database = Database(f"sqlite:///{tmp_path / 'desk.db'}")
    made = [
        ledger.register(
            database, Deed(Act.REGISTER, AT + i, "li", facts=Facts(place=f"P{i}", description="x", finder="x")), Role.OPERATOR
        )
        for i in range(2)
    ]
    ledger.do(database, made[0].id, Deed(Act.DISMISS, AT, "w", facts=Facts(result="no")), Role.ANALYST)
    database.close()
    return path


def run(config: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["dangers", *words, "--config", str(config)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_list_can_leave_out_what_is_struck_off(config: Path) -> None:
    every, left = (msgspec.json.decode(run(config, "list", "--json", *more)) for more in ((), ("--open",)))
    assert ([d["place"] for d in every["dangers"]], [d["place"] for d in left["dangers"]]) == (["P1", "P0"], ["P1"])
    assert "1 of 1" in run(config, "list", "--state", "struck")
    assert "0 of 0" in run(config, "list", "--late")
    with pytest.raises(Unusable, match="there is no 'gone'"):
        run(config, "list", "--state", "gone")


def test_the_ledger_is_written_for_excel(config: Path, tmp_path: Path) -> None:
    for name in ("l.xlsx", "l.csv"):
        assert run(config, "export", str(tmp_path / name)).endswith("l." + name[2:] + ": 2\n")
    rows = list(openpyxl.load_workbook(io.BytesIO((tmp_path / "l.xlsx").read_bytes())).active.values)
    assert (list(rows[0]), len(rows)) == (export.headings(), 3)
    assert (tmp_path / "l.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with pytest.raises(Unusable, match="neither"):
        run(config, "export", str(tmp_path / "l.pdf"))
