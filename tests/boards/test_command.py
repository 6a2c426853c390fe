"""`lifeline boards build`, `diff` and `push`, as they are typed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from lifeline.model import NS
from lifeline.words import Failed, Unusable
from pipeline.boarding import made, row, warnings
from pipeline.cli import app
from tests.boards.double import TOKEN, Double, serving

RUN = CliRunner()


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    for name in ("GRAFANA_URL", "GRAFANA_TOKEN", "INFLUX_URL", "INFLUX_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving(Double()) as d:
        yield d


def said(*args: str, code: int = 0, env: dict[str, str] | None = None) -> str:
    result = RUN.invoke(app, ["boards", *args], env=env)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_committed_boards_and_provisioning_are_what_is_built() -> None:
    assert "0 files differ" in said("build", "--check")
    assert said("diff") == "no difference\n"


def test_what_was_changed_by_hand_is_found(tmp_path: Path) -> None:
    out = ("--out", str(tmp_path), "--language", "zh")
    assert "16 files written" in said("build", *out)
    assert "0 files written" in said("build", *out)
    file = tmp_path / "zh" / "gas.json"
    board = json.loads(file.read_text("utf-8"))
    board["panels"][1]["title"] = "mine"
    file.write_text(json.dumps(board), "utf-8")
    (tmp_path / "provisioning" / "alerting" / "rules.yaml").write_text("")
    assert 'panels[红 RED].title: "mine" -> "红 RED"' in said("diff", *out, code=1)
    assert "rules.yaml: is not what is built" in said("build", *out, "--check", code=1)
    assert "2 files written" in said("build", *out)
    assert said("diff", *out) == "no difference\n"


def test_one_language_can_be_had(tmp_path: Path) -> None:
    said("build", "--out", str(tmp_path), "--language", "en")
    assert (tmp_path / "en" / "city.json").exists()
    assert not (tmp_path / "zh").exists()


def test_limits_of_other_rules_are_drawn(tmp_path: Path) -> None:
    from detectors.rulebook import HERE

    text = (HERE / "rules" / "gas.toml").read_text("utf-8")
    (tmp_path / "gas.toml").write_text(text.replace("ORANGE = 2.5, RED = 5.0", "ORANGE = 2.5, RED = 4.0"), "utf-8")
    board = made("en", tmp_path, "")["en/gas-asset.json"]
    methane = next(p for p in board["panels"] if p["title"] == "Methane (%VOL)")
    assert 4.0 in [s["value"] for s in methane["fieldConfig"]["defaults"]["thresholds"]["steps"]]


def test_a_push_says_what_it_does_and_the_second_does_nothing(double: Double) -> None:
    env = {"GRAFANA_URL": double.url, "GRAFANA_TOKEN": TOKEN, "INFLUX_URL": "http://influxdb:8086", "INFLUX_TOKEN": "s3cret"}
    told = said("push", "--dry-run", env=env)
    assert "would make zh/city.json" in told
    assert "25 steps to do" in told
    assert double.written == []
    told = said("push", env=env)
    assert "25 steps done" in told
    assert "s3cret" not in told
    assert said("push", env=env) == "nothing to do\n"
    assert said("diff", env=env) == "no difference\n"
    double.boards["lifeline-gas-zh"]["dashboard"]["refresh"] = "1d"
    assert 'refresh: "1d" -> "30s"' in said("diff", code=1, env=env)


def test_what_is_missing_is_named(double: Double) -> None:
    with pytest.raises(Unusable, match="GRAFANA_URL"):
        said("push")
    with pytest.raises(Unusable, match="GRAFANA_TOKEN"):
        said("push", "--url", double.url)
    with pytest.raises(Failed, match="401"):
        said("push", "--url", double.url, "--token", "wrong")
    with pytest.raises(Unusable, match="basemap"):
        said("build", "--basemap", "http://tiles")


def test_a_failure_says_how_far_it_came(double: Double) -> None:
    double.broken["POST .*/dashboards/db"] = (500, {"message": "disk is full"})
    with pytest.raises(Failed, match=r"make zh/city\.json: .*500 disk is full.*2 of 24 steps are done, push again"):
        said("push", "--url", double.url, "--token", TOKEN)


def test_devices_in_doubt_are_not_noted() -> None:
    class Desk:
        def ask(self, method: str, path: str, **more: Any) -> Any:
            assert (method, path, more["params"]) == ("GET", "/api/v1/warnings", {"limit": 5000})
            known = {"domain": "gas", "asset": "well-1", "peak": "BLUE", "onset": NS, "cleared": 2 * NS, "closed_at": None}
            return [known | {"id": k, "kind": k, "hazard": "silence"} for k in ("hazard", "ticket")]

    (note,) = warnings(Desk(), "http://desk")  # type: ignore[arg-type]
    assert (note["id"], note["closed"]) == ("hazard", 2 * NS)


def test_a_warning_of_the_desk_becomes_a_note() -> None:
    case: dict[str, Any] = {
        "id": "a1", "domain": "gas", "asset": "well-1", "hazard": "gas_accumulation", "kind": "hazard", "peak": "RED",
        "onset": 5 * NS, "cleared": None, "closed_at": 9 * NS,
    }  # fmt: skip
    assert row(case, "http://desk/") == {
        "id": "a1", "domain": "gas", "asset": "well-1", "level": "RED", "onset": 5 * NS, "closed": 9 * NS,
        "title_zh": "【红色】可燃气体聚集：well-1", "title_en": "[RED] accumulation of gas: well-1",
        "url": "http://desk/api/v1/warnings/a1",
    }  # fmt: skip
