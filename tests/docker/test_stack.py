"""The stack of docker-compose.yml at work on this machine: from a device with a certificate to a stored row and a notice."""

import base64
import json
import os
import sqlite3
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import duckdb
import psycopg
import pytest

from lifeline.clock import now
from lifeline.model import NS
from pipeline.certs import GROUP
from pipeline.letters import books
from tests import town
from tests.brokers import until, wanted
from tests.docker.stack import Stack, may_mount, standing
from tests.influxes import Influx

pytestmark = [pytest.mark.network, pytest.mark.timeout(400)]
WELLS: Final = 6
CITY: Final = "chengjiang"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """All of it that this machine has programs for."""
    catalog = "\n".join([town.HEADER, *[x for x in town.lines(WELLS) if "methane" in x]]) + "\n"
    services = ("mosquitto", "postgres", "desk", "watch", "receive", "mirror")
    with Influx() as influx, standing(*services, catalog=catalog, elsewhere={8086: int(influx.url.rsplit(":", 1)[1])}) as made:
        devices = [word for well in range(WELLS) for word in ("--device", f"laser-{well}")]
        made.run(["lifeline", "certs", "--out", str(made.secrets), *group(), *devices, "--user", "old-5"], {})
        made.stop("mosquitto")  # which reads passwords at its start
        made.start("mosquitto")
        yield made


def group() -> list[str]:
    return ["--group", str(GROUP if os.geteuid() == 0 else os.getegid())]


def who(stack: Stack, name: str) -> list[str]:
    """Arguments of mosquitto_pub and mosquitto_sub: a client with the certificate of this name."""
    s = stack.secrets
    line = ["-h", "localhost", "-p", str(stack.port[8883]), "--cafile", str(s / "ca.pem")]
    return [*line, "--cert", str(s / f"{name}.pem"), "--key", str(s / f"{name}.key")]


def say(stack: Stack, name: str, topic: str, text: str) -> int:
    """Publish at QoS 1 -> exit code; 0: the broker has acknowledged."""
    command = [wanted("mosquitto_pub"), *who(stack, name), "-q", "1", "-t", topic, "-m", text]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode


def telemetry(well: int, t: int, value: float) -> tuple[str, str]:
    body = json.dumps({"ts": t // 1_000_000, "values": {"ch4": value}})
    return f"lifeline/v1/{CITY}/gas/well-{well}/laser-{well}/telemetry", body


def journaled(stack: Stack) -> list[str]:
    """Topics and payloads in the journal, as text."""
    with closing(sqlite3.connect(f"file:{stack.volume('data')}/journal.db?mode=ro", uri=True)) as db:
        return [body.decode("utf-8", "replace") for (body,) in db.execute("SELECT body FROM batch ORDER BY first")]


def arrived(stack: Stack, text: str) -> bool:
    return any(text in body for body in journaled(stack))


def asked(stack: Stack, path: str) -> Any:
    token = (stack.volume("data") / "desk.token").read_text()
    request = urllib.request.Request(f"http://127.0.0.1:{stack.port[8087]}{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=20) as got:  # noqa: S310  our own desk
        return json.load(got)


def test_what_a_device_says_is_stored_judged_and_told(stack: Stack) -> None:
    start = now() - 60 * NS
    for second in range(40):
        topic, body = telemetry(0, start + second * NS, 9.0 + 0.01 * (second % 7))
        if second % 4 == 0:
            assert say(stack, "laser-0", topic, body) == 0
    until(lambda: [w for w in asked(stack, "/api/v1/warnings") if w["asset"] == "well-0" and w["pushed"]], "no warning", 60)
    assert "well-0" in stack.log("desk"), "the channel that writes into the log"
    until(lambda: stored(stack) >= 10, "the readings are not in the lake", 60)


def stored(stack: Stack) -> int:
    if not list((stack.volume("data") / "lake").rglob("*.parquet")):
        return 0
    files = stack.volume("data") / "lake/readings/**/*.parquet"
    query = f"SELECT count(DISTINCT t) FROM read_parquet('{files}') WHERE key = 'laser-0/ch4'"  # noqa: S608  our own words
    with duckdb.connect() as db:
        return int(db.sql(query).fetchall()[0][0])


def test_boards_find_it_in_influxdb_with_the_figures_of_the_processes(stack: Stack) -> None:
    until(lambda: counted(stack, "SELECT count(value) FROM methane WHERE asset = 'well-0'") >= 10, "no readings", 90)
    until(lambda: counted(stack, "SELECT count(rank) FROM warning WHERE asset = 'well-0'") >= 1, "no warning", 60)
    for process in ("receive", "watch", "desk", "mirror"):
        name = "process_cpu_seconds_total" if process == "desk" else f"lifeline_{process}_"
        figures = f"SHOW SERIES FROM /^{name}.*/ WHERE process = '{process}'"
        until(lambda q=figures: counted(stack, q) > 0, f"no figures of {process}", 60)  # type: ignore[misc]


def counted(stack: Stack, query: str) -> int:
    """The first number of the answer; of a list of series their number."""
    text = urllib.parse.urlencode({"db": "lifeline", "q": query})
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.port[8086]}/query?{text}", timeout=20) as got:
        (result,) = json.load(got)["results"]
    rows = [row for series in result.get("series", []) for row in series["values"]]
    return len(rows) if query.startswith("SHOW") else int(rows[0][1]) if rows else 0


def test_grafana_may_tell_the_desk_of_an_alert(stack: Stack) -> None:
    stack.once("accounts")
    stack.once("accounts")
    word = base64.b64encode(b"grafana:" + (stack.secrets / "desk_grafana_password").read_bytes()).decode()
    body = json.dumps(
        [{"labels": {"alertname": "BoardsStale", "severity": "warning"}, "annotations": {"summary": "x"}}]
    ).encode()
    url = f"http://127.0.0.1:{stack.port[8087]}/api/v2/alerts"
    request = urllib.request.Request(url, body, {"Authorization": f"Basic {word}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as got:  # noqa: S310  our own desk
        assert got.status == 200


def test_nothing_but_volumes_and_memory_can_be_written_in_a_service(stack: Stack) -> None:
    if not may_mount():
        pytest.skip("this process may not make mounts, so that nothing is read-only to the services here")
    for name in ("receive", "watch", "desk", "mirror"):
        mounts = Path(f"/proc/{stack.running[name].pid}/mounts").read_text().splitlines()
        (root, *_) = [m.split()[3].split(",") for m in mounts if m.split()[1] == "/"][-1:]
        assert "ro" in root, name


def test_a_device_writes_only_under_its_own_id(stack: Stack) -> None:
    for topic in (
        telemetry(2, now(), 1.0)[0],
        f"lifeline/v1/{CITY}/gas/well-1/laser-1/other",
        f"lifeline/v1/{CITY}/gas/well-1/laser-1",
        f"lifeline/v1/{CITY}/gas/well-1/warning/gas_accumulation",
        "elsewhere",
    ):
        assert say(stack, "laser-1", topic, "stolen") == 0, "acknowledged all the same: refused in silence"
    for form in ("telemetry", "event", "status", "waveform"):
        assert say(stack, "laser-1", f"lifeline/v1/{CITY}/gas/well-1/laser-1/{form}", f"own-{form}") == 0
        until(lambda f=form: arrived(stack, f"own-{f}"), "what it may say has not arrived")  # type: ignore[misc]
    assert not arrived(stack, "stolen"), "said before, by the same device, so it would have come before"


def test_a_device_cannot_speak_for_the_series_of_another_under_its_own_topic(stack: Stack) -> None:
    topic, _ = telemetry(1, now(), 1.0)
    forged = json.dumps([{"n": "laser-3/ch4", "v": 19.0, "t": now() // NS}])  # SenML names whole series
    assert say(stack, "laser-1", topic, forged) == 0
    until(lambda: refused(stack, "a series of another device"), "it was taken", 60)


def refused(stack: Stack, reason: str) -> bool:
    """Whether there is a dead letter for this reason."""
    with closing(sqlite3.connect(f"file:{stack.volume('data')}/ledger.db?mode=ro", uri=True)) as db:
        return bool(db.execute("SELECT 1 FROM dead WHERE instr(reason, ?)", (reason,)).fetchall())


def test_a_device_hears_nothing_that_others_say(stack: Stack) -> None:
    listen = [wanted("mosquitto_sub"), *who(stack, "laser-3"), "-q", "1", "-t", "lifeline/#", "-t", "#", "-W", "4", "-v"]
    with subprocess.Popen(listen, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as spy:
        for i in range(5):
            assert say(stack, "laser-1", f"lifeline/v1/{CITY}/gas/well-1/laser-1/event", f"secret-{i}") == 0
        heard, _ = spy.communicate(timeout=30)
    assert heard == b""
    until(lambda: arrived(stack, "secret-4"), "what was said has not arrived")


def test_the_receiver_says_nothing_and_the_health_check_neither(stack: Stack) -> None:
    say(stack, "receive", telemetry(4, now(), 1.0)[0], "forged-by-receive")
    health = [wanted("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(stack.port[1883]), "-q", "1"]
    subprocess.run([*health, "-t", telemetry(4, now(), 1.0)[0], "-m", "forged-by-health"], check=True, timeout=60)
    assert say(stack, "laser-4", telemetry(4, now(), 1.0)[0], "honest") == 0
    until(lambda: arrived(stack, "honest"), "what was said has not arrived")
    assert not arrived(stack, "forged")


def test_passwords_count_on_their_own_line_only_and_wrong_ones_not_at_all(stack: Stack) -> None:
    word = (stack.secrets / "old-5.password").read_text()
    line = [wanted("mosquitto_pub"), "-h", "localhost", "--cafile", str(stack.secrets / "ca.pem"), "-q", "1", "-u", "old-5"]
    said = ["-t", f"lifeline/v1/{CITY}/gas/well-5/old-5/telemetry", "-m"]

    def tried(port: int, password: str, text: str) -> int:
        command = [*line, "-p", str(stack.port[port]), "-P", password, *said, text]
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode

    assert tried(8884, "wrong", "by-a-wrong-word") != 0
    assert tried(8883, word, "without-a-certificate") != 0
    assert tried(8884, word, "by-word") == 0
    until(lambda: arrived(stack, "by-word"), "what was said has not arrived")
    assert not arrived(stack, "by-a-wrong-word")


def test_what_comes_while_the_receiver_is_away_and_the_broker_is_restarted_is_there_afterwards(stack: Stack) -> None:
    stack.stop("receive")
    many = "".join(f"kept-{i:05d}\n" for i in range(3000))  # beyond the 1,000 that a broker keeps by default
    topic = f"lifeline/v1/{CITY}/gas/well-2/laser-2/event"
    command = [wanted("mosquitto_pub"), *who(stack, "laser-2"), "-q", "1", "-t", topic, "-l"]
    for i in range(0, 3000, 500):  # a client gives up what its own queue does not hold
        part = "".join(many.splitlines(keepends=True)[i : i + 500])
        subprocess.run(command, input=part.encode(), check=True, timeout=60)
    stack.stop("mosquitto")
    stack.start("mosquitto")
    assert say(stack, "laser-2", topic, "after-the-restart") == 0
    stack.start("receive")
    until(lambda: arrived(stack, "after-the-restart"), "the receiver's session was forgotten", 60)
    whole = "".join(journaled(stack))
    assert [i for i in range(3000) if f"kept-{i:05d}" not in whole] == []


def test_a_revoked_certificate_opens_nothing(stack: Stack) -> None:
    kept = {end: (stack.secrets / f"laser-5.{end}").read_bytes() for end in ("pem", "key")}
    assert say(stack, "laser-5", telemetry(5, now(), 1.0)[0], "before") == 0
    stack.run(["lifeline", "certs", "--out", str(stack.secrets), *group(), "--revoke", "laser-5"], {})
    stack.stop("mosquitto")
    stack.start("mosquitto")
    for end, data in kept.items():  # the thief has a copy
        (stack.secrets / f"laser-5.{end}").write_bytes(data)
    assert say(stack, "laser-5", telemetry(5, now(), 1.0)[0], "after") != 0
    assert say(stack, "laser-4", telemetry(4, now(), 1.0)[0], "others") == 0


def test_the_doctor_finds_the_stack_well(stack: Stack) -> None:
    said = stack.once("doctor")
    assert "amiss" not in said
    for part in (
        "receive.pem holds until",
        "the certificate of localhost",
        "receive is ready",
        "watch is ready",
        "desk is ready",
    ):
        assert part in said


def test_the_nightly_backup_of_the_stack_holds_the_desk_in_postgresql(stack: Stack) -> None:
    stack.once("backup")
    (made,) = stack.volume("backups").iterdir()
    told = json.loads((made / "backup.json").read_text())
    with closing(sqlite3.connect(made / "desk.db")) as db:
        assets = {a for (a,) in db.execute("SELECT asset FROM warnings")}
    assert told["desk"] == "copied"
    assert "well-0" in assets


def test_the_simulated_city_of_the_demo_gets_in(stack: Stack) -> None:
    before = len(journaled(stack))
    stack.start("simulator")
    until(lambda: arrived(stack, f"lifeline/v1/{CITY}/elevator/"), "the simulator says nothing", 100)
    stack.stop("simulator")
    assert len(journaled(stack)) > before


def test_a_stack_that_has_lost_its_data_and_its_database_goes_on_from_the_backup(stack: Stack) -> None:
    """By the steps of docs/operations.md; the last test, for it takes the stack apart."""
    backups = stack.volume("backups")
    if not list(backups.iterdir()):
        stack.once("backup")
    made = max(backups.iterdir())
    told = json.loads((made / "backup.json").read_text())
    for name in ("receive", "watch", "desk", "mirror"):
        stack.stop(name)
    lost = stack.root / "lost"
    lost.mkdir()
    for path in list(stack.volume("data").iterdir()):
        path.rename(lost / path.name)
    word = (stack.secrets / "postgres_password").read_text()
    with psycopg.connect(
        f"host=127.0.0.1 port={stack.port[5432]} user=desk password={word} dbname=desk", autocommit=True
    ) as db:
        db.execute("DROP SCHEMA public CASCADE")
        db.execute("CREATE SCHEMA public")
    settings = ("--config", "/etc/lifeline/lifeline.toml")
    said = stack.once("backup", "restore", *settings, f"/var/backups/lifeline/{made.name}", "--json")
    assert json.loads(said)["balanced"]
    for name in ("desk", "watch", "receive"):
        stack.start(name)
    assert "well-0" in {w["asset"] for w in asked(stack, "/api/v1/warnings")}
    assert say(stack, "laser-4", telemetry(4, now(), 1.0)[0], "after-the-loss") == 0
    until(lambda: arrived(stack, "after-the-loss"), "nothing is received any more", 60)
    assert len(journaled(stack)) > 1
    until(lambda: balanced(stack, told["head"]), "the books do not balance, or nothing goes on", 60)


def balanced(stack: Stack, least: int) -> bool:
    """Whether all that was acknowledged has its fate, beyond so many."""
    found = books(stack.volume("data"))["ledger"]
    return bool(
        found["acknowledged"] > least
        and found["in_flight"] == 0
        and found["acknowledged"] == sum(v for k, v in found.items() if k != "acknowledged")
    )
