"""A real desk with a routing file, mock receivers, and amtool."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from typer.testing import CliRunner

from alerts.api import app
from alerts.roles import Role
from alerts.users.access import Wrong
from bench.receiver import Got, Receiver
from lifeline.clock import iso, now
from lifeline.config import load
from lifeline.model import NS, Change, Level
from lifeline.words import Unusable
from pipeline.cli import app as cli
from pipeline.desk import made
from pipeline.token import bearer
from tests.brokers import free_port

N, B, Y, O, R = Level
Say = Callable[..., Change]
AMTOOL = shutil.which("amtool")
CATALOG = """key,asset,device,domain,district,quantity,unit,step,low,high,lat,lon,owner
d1/ch4,W-1,d1,gas,Fenglu,methane,%VOL,60,0,20,24.67,102.91,gas company
d2/ch4,W-2,d2,gas,Fenglu,methane,%VOL,60,0,20,24.67,102.91,gas company
"""
ROUTES = """
route:
  receiver: centre
  group_by: [district]
  group_wait: 2s
  group_interval: 3s
  repeat_interval: 4s
  routes:
    - matchers: [ severity=~"ORANGE|RED" ]
      receiver: duty
      continue: true
    - matchers: [ 'kind=~".+"' ]
receivers:
  - name: centre
    webhook_configs: [{{url: "{centre}"}}]
  - name: duty
    webhook_configs: [{{url: "{duty}", http_config: {{authorization: {{credentials: hush}}}}}}]
inhibit_rules:
  - source_matchers: [ severity="RED" ]
    target_matchers: [ severity="YELLOW" ]
    equal: [district]
"""


class Running:
    """`lifeline desk`: on a thread of this process, or in a process of its own that can be killed."""

    def __init__(self, folder: Path, centre: Receiver, duty: Receiver) -> None:
        self.port = free_port()
        self.url, self.centre, self.duty = f"http://127.0.0.1:{self.port}", centre, duty
        (folder / "catalog.csv").write_text(CATALOG, "utf-8")
        (folder / "alertmanager.yml").write_text(ROUTES.format(centre=centre.url, duty=duty.url), "utf-8")
        self.config = folder / "lifeline.toml"
        self.config.write_text(
            f'[city]\nname = "chengjiang"\ncatalog = "catalog.csv"\ndata = "data"\n'
            f'[desk]\nport = {self.port}\nrouting = "alertmanager.yml"\n[canary]\nevery = "0s"\n',
            "utf-8",
        )
        self.headers = bearer(load(self.config, {}))

    @contextmanager
    def here(self) -> Iterator[None]:
        """On a thread."""
        desk = made(load(self.config, {}))
        server = uvicorn.Server(uvicorn.Config(app(desk), port=self.port, log_config=None))
        thread = threading.Thread(target=server.run)
        thread.start()
        with suppress(Wrong):
            desk.access.add("wang", Role.OPERATOR, "horse-battery", "test", now())
        try:
            self._wait(thread.is_alive)
            yield
        finally:
            server.should_exit = True
            thread.join()
            desk.database.close()

    def process(self) -> subprocess.Popen[bytes]:
        """In a process of its own."""
        command = [sys.executable, "-c", "from pipeline.cli import main; main()", "desk", "--config", str(self.config)]
        started = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(Path.cwd())})
        self._wait(lambda: started.poll() is None)
        return started

    def _wait(self, alive: Callable[[], bool]) -> None:
        until = now() + 100 * NS
        while now() < until:
            try:
                if httpx.get(f"{self.url}/-/healthy", trust_env=False).is_success:
                    return
            except httpx.HTTPError:
                assert alive(), "the desk ended"
                time.sleep(0.05)
        raise TimeoutError

    def say(self, *said: Change) -> None:
        answer = self.ask("POST", "/changes", content=msgspec.json.encode(said))
        assert answer.is_success, answer.text

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return httpx.request(method, self.url + path, trust_env=False, headers=self.headers, **more)

    def get(self, path: str) -> Any:
        return self.ask("GET", path).raise_for_status().json()

    def amtool(self, *words: str, fails: bool = False) -> str:
        url = self.url.replace("//", "//wang:horse-battery@")
        done = subprocess.run([str(AMTOOL), f"--alertmanager.url={url}", *words], capture_output=True, text=True, check=False)
        assert (done.returncode != 0) is fails, done.stderr
        return done.stderr if fails else done.stdout


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Running]:
    """A desk that does not run yet."""
    with Receiver() as centre, Receiver() as duty:
        yield Running(tmp_path, centre, duty)


@pytest.fixture
def desk(still: Running) -> Iterator[Running]:
    with still.here():
        yield still


@pytest.fixture
def fresh(say: Say) -> Say:
    """A change of this very moment."""

    def change(new: Level, device: str = "d1", asset: str = "W-1", **more: Any) -> Change:
        t = now()
        return msgspec.structs.replace(say(new, 0, device, asset, **more), t=t, id=f"{device}{t}")

    return change


def what(got: Sequence[Got]) -> list[str]:
    return [f"{g.json['lifeline']['what']} {g.json['lifeline']['level']} {g.json['lifeline']['asset']}" for g in got]


def several(n: int) -> Callable[[list[Got]], bool]:
    return lambda got: len(got) >= n


def test_grave_ones_come_at_once_mild_ones_together_and_again(desk: Running, fresh: Say) -> None:
    begun = now()
    desk.say(fresh(Y, "d2", "W-2"), fresh(O))
    (first,) = desk.duty.wait(several(1))[:1]
    assert first.headers["authorization"] == "Bearer hush"
    assert what([first]) == ["raised ORANGE W-1"]
    got = desk.centre.wait(several(2))
    assert what(got[:2]) == ["raised ORANGE W-1", "raised YELLOW W-2"]
    assert 1.9 <= (got[1].at - begun) / NS < 8
    assert (got[0].at - begun) / NS < (got[1].at - begun) / NS
    again = desk.centre.wait(several(3))[2]
    assert 3.9 <= (again.at - begun) / NS < 12
    assert again.json["alerts"][0]["annotations"]["summary"].startswith("[still stands] YELLOW")
    assert what(desk.duty.got) == ["raised ORANGE W-1"]  # that is for the chase to say again


@pytest.mark.crash
def test_what_is_held_survives_a_kill(still: Running, fresh: Say) -> None:
    process = still.process()
    still.say(fresh(Y, "d2", "W-2"))
    process.kill()
    process.wait()
    assert still.centre.got == []
    with still.here():
        assert what(still.centre.wait(several(1), 30)[:1]) == ["raised YELLOW W-2"]


@contextmanager
def silenced(desk: Running, matcher: str) -> Iterator[str]:
    """A silence by amtool, ended by amtool."""
    id_ = desk.amtool("silence", "add", matcher, "--author=somebody", "--comment=works", "--duration=10m").strip()
    yield id_
    desk.amtool("silence", "expire", id_)


@pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed")
def test_amtool_works_with_the_desk(desk: Running, fresh: Say) -> None:
    with silenced(desk, "asset=W-1") as id_:
        shown = msgspec.json.decode(desk.amtool("silence", "query", "-o", "json"))
        assert [(s["id"], s["createdBy"], s["status"]["state"]) for s in shown] == [(id_, "wang", "active")]
        desk.say(fresh(O))
        (alert,) = desk.get("/api/v2/alerts")
        assert alert["status"] == {"state": "suppressed", "silencedBy": [id_], "inhibitedBy": [], "mutedBy": []}
        assert desk.amtool("alert", "query", "-o", "simple").count("gas_accumulation") == 0
        assert desk.amtool("alert", "query", "--silenced", "-o", "simple").count("gas_accumulation") == 1
        assert desk.duty.got == []
        desk.say(fresh(R))  # a RED hazard is told through it
        assert what(desk.duty.wait(several(1))) == ["worse RED W-1"]
    assert id_ in desk.amtool("silence", "query", "--expired", "-q")
    assert "already expired" in desk.amtool("silence", "expire", id_, fails=True)
    assert "hide everything" in desk.amtool("silence", "add", "asset=~.*", "-a", "x", "-c", "y", fails=True)
    desk.amtool("alert", "add", "DiskFull", "severity=critical", "instance=web-1", "--annotation=summary=no room")
    assert "no room" in desk.amtool("alert", "query", "alertname=DiskFull")
    assert "duty" in desk.amtool("config", "routes", "show")
    assert desk.amtool("config", "routes", "test", "severity=RED", "kind=hazard").strip() == "duty,centre"
    assert "hush" not in desk.amtool("config", "show")
    assert "disabled" in desk.amtool("cluster", "show")


def test_an_inhibited_warning_is_shown_and_told_when_its_cause_has_ended(desk: Running, fresh: Say) -> None:
    desk.say(fresh(R))
    desk.say(fresh(Y, "d2", "W-2"))
    source, target = sorted(desk.get("/api/v2/alerts"), key=lambda a: a["labels"]["asset"])
    assert target["status"]["inhibitedBy"] == [source["fingerprint"]]
    assert 'lifeline_desk_suppressed{reason="inhibition"} 1.0' in desk.ask("GET", "/metrics").text
    assert [a["fingerprint"] for a in desk.get("/api/v2/alerts?inhibited=false")] == [source["fingerprint"]]
    desk.say(fresh(N))
    got = desk.centre.wait(lambda got: "raised YELLOW W-2" in what(got))
    assert {"raised RED W-1", "resolved NORMAL W-1"} <= set(what(got))


def test_groups_receivers_and_status_have_alertmanagers_shape(desk: Running, fresh: Say) -> None:
    desk.say(fresh(O), fresh(Y, "d2", "W-2"))
    groups = desk.get("/api/v2/alerts/groups")
    read = [(g["receiver"]["name"], g["labels"], sorted(a["labels"]["asset"] for a in g["alerts"])) for g in groups]
    assert read == [("centre", {"district": "Fenglu"}, ["W-1", "W-2"]), ("duty", {"district": "Fenglu"}, ["W-1"])]
    assert [g["receiver"]["name"] for g in desk.get("/api/v2/alerts/groups?receiver=du.y")] == ["duty"]
    assert desk.get('/api/v2/alerts/groups?filter=asset="W-9"') == []
    assert desk.get("/api/v2/receivers") == [{"name": "centre"}, {"name": "duty"}]
    status = desk.get("/api/v2/status")
    assert status["cluster"] == {"status": "disabled", "peers": []}
    assert status["uptime"] <= iso(now())
    assert "credentials: <secret>" in status["config"]["original"]


def test_a_bad_request_is_answered_with_a_text(desk: Running) -> None:
    requests: list[tuple[str, str, Any, int]] = [
        ("GET", "alerts?filter=a", None, 400),
        ("GET", "alerts?receiver=(", None, 400),
        ("GET", "silence/none", None, 404),
        ("DELETE", "silence/none", None, 404),
        ("POST", "silences", {"matchers": []}, 400),
        ("POST", "alerts", {"labels": {}}, 400),
        ("POST", "alerts", [{"labels": {"a": 1}}, {"labels": {"alertname": "x"}}], 400),
    ]
    for method, path, body, status in requests:
        answer = desk.ask(method, f"/api/v2/{path}", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), path
        assert isinstance(answer.json(), str)
    assert [a["labels"]["alertname"] for a in desk.get("/api/v2/alerts")] == ["x"]  # the good one beside the bad one
    assert desk.ask("POST", "/api/v2/alerts", json=[]).status_code == 200


def test_only_a_leader_may_hide_red_over_the_api_and_the_owner_is_whoever_asks(desk: Running) -> None:
    ask = {
        "matchers": [{"name": "asset", "value": "W-1", "isRegex": False}], "startsAt": iso(now()),
        "endsAt": iso(now() + 60 * NS), "createdBy": "director", "comment": "works",
    }  # fmt: skip
    url, wang = f"{desk.url}/api/v2/silences", ("wang", "horse-battery")
    refused = httpx.post(url, json=ask | {"red": True}, auth=wang, trust_env=False)
    assert (refused.status_code, "needs the role leader" in refused.json()) == (403, True)
    assert httpx.post(url, json=ask, auth=wang, trust_env=False).is_success
    assert desk.ask("POST", "/api/v2/silences", json=ask | {"red": True}).is_success
    assert {(s["createdBy"], s.get("red", False)) for s in desk.get("/api/v2/silences")} == {
        ("wang", False),
        ("director", True),
    }
    assert httpx.get(url, trust_env=False).status_code == 401


def test_the_commands_speak_with_the_desk(desk: Running, fresh: Say) -> None:
    desk.say(fresh(O))

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli, [*words, "--config", str(desk.config)])
        if code:
            assert isinstance(done.exception, Unusable), done.output
            return str(done.exception)
        assert done.exit_code == 0, done.output
        return done.stdout

    (line,) = run("alerts", "list").splitlines()
    id_ = line.split()[0]
    assert line.split()[1:3] == ["ORANGE", "open"]
    assert run("alerts", "list", 'asset="W-2"') == "nothing stands\n"
    assert "no matcher" in run("alerts", "list", "asset", code=1)
    silence = run("alerts", "silence", 'asset="W-1"', "--by", "wang", "--comment", "works", "--for", "5m").strip()
    assert run("alerts", "list").split()[2] == "silenced"
    assert silence in run("alerts", "silences")
    run("alerts", "expire", silence)
    assert run("alerts", "silences") == "no silence\n"
    window = '{"weekdays": ["sunday"], "location": "Asia/Shanghai"}'
    run("alerts", "silence", 'asset="W-9"', "--by", "wang", "--comment", "x", "--for", "60d", "--during", window)
    assert desk.get("/api/v2/silences")[0]["during"] == [{"weekdays": ["sunday"], "location": "Asia/Shanghai"}]
    assert "taken" in run("alerts", "ack", id_[:6], "--by", "wang")
    assert run("alerts", "list").split()[2] == "taken"
    assert "knows no close; one that is gone or over does" in run("alerts", "close", id_, "--by", "wang", code=1)
    assert "no warning has the id" in run("alerts", "ack", "zzz", "--by", "wang", code=1)
    assert run("alerts", "export").splitlines()[1].startswith(f"{id_},W-1,gas_accumulation,hazard,gas")
    assert [w["id"] for w in json.loads(run("alerts", "export", "--from", "-1h", "-o", "json"))] == [id_]
    assert run("alerts", "export", "--to", "-1h", "-o", "table") == "nothing was warned of\n"
    (row,) = json.loads(run("alerts", "list", "-o", "json"))
    assert (row["id"], row["state"], row["status"]["state"], row["labels"]["asset"]) == (id_, "taken", "active", "W-1")
    assert row == json.loads(run("alerts", "list", "--json"))[0]
    (told,) = csv.DictReader(io.StringIO(run("alerts", "list", "-o", "csv")))
    assert (told["id"], told["level"], told["acknowledged_by"]) == (id_, "ORANGE", "wang")
    (held,) = csv.DictReader(io.StringIO(run("alerts", "silences", "-o", "csv")))
    assert held["matchers"] == "asset='W-9'"
    assert json.loads(run("alerts", "ack", id_, "--by", "li", "-o", "json"))["acknowledged_by"] == "li"
    assert "is no id" in run("alerts", "ack", "../users", "--by", "li", code=1)
    shown = run("route", "test", "--level", "RED", "--domain", "gas", "--asset", "W-1")
    assert "receiver duty → duty" in shown
    assert "at once" in shown
    assert "duty" in run("route", "show")
