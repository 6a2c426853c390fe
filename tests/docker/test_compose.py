"""docker-compose.yml as a file: what every service must say, and that all it names is there."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from lifeline.kinds import size
from pipeline import certs
from tests.docker.stack import COMPOSE, ROOT, image_environment, secret_files, services

SERVICES: Final = services()
WHOLE: Final = yaml.safe_load(COMPOSE.read_text("utf-8"))
ONCE: Final = {"prepare", "backup", "doctor", "accounts"}  # run, and end
OURS: Final = {name for name, s in SERVICES.items() if "build" in s}
LASTING: Final = sorted(set(SERVICES) - ONCE)


@pytest.mark.parametrize("name", LASTING)
def test_every_lasting_service_is_bounded_watched_and_started_again(name: str) -> None:
    s = SERVICES[name]
    assert s["restart"] == "unless-stopped"
    assert {"memory", "cpus", "pids"} <= s["deploy"]["resources"]["limits"].keys()
    assert s["logging"]["options"]["max-size"]
    assert s["security_opt"] == ["no-new-privileges:true"]
    assert "healthcheck" in s or name == "simulator"
    assert not s.get("privileged")
    assert re.search(r":[\w.-]*\d[\w.-]*$", s["image"]) or name in OURS, "a version, never `latest` of somebody else's"


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_own_services_write_nothing_but_volumes_and_memory(name: str) -> None:
    s = SERVICES[name]
    assert s["read_only"]
    assert s["cap_drop"] == ["ALL"]
    assert s["user"] == "10001:10001" or name == "prepare"
    written = [v["target"] for v in s.get("volumes", []) if not v.get("read_only")]
    inside = {v for k, v in image_environment().items() if v.startswith("/") and k != "PATH"}
    assert all(path.startswith((*(t.split(":")[0] for t in s["tmpfs"]), *written)) for path in inside)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_whoever_is_waited_for_can_say_that_he_is_healthy(name: str) -> None:
    waits = SERVICES[name].get("depends_on", {})
    for other, w in waits.items():
        assert w["condition"] == ("service_completed_successfully" if other in ONCE else "service_healthy")
        assert other in ONCE or "healthcheck" in SERVICES[other]


def test_grafana_finds_what_its_provisioning_names() -> None:
    s = SERVICES["grafana"]
    mounted = {v["target"] for v in s["volumes"]} | {f"/run/secrets/{name}" for name in s["secrets"]}
    text = "".join(p.read_text("utf-8") for p in (ROOT / "docker/grafana/provisioning").rglob("*.yaml"))
    paths = set(re.findall(r"(?:path: |__file\{)(/[\w/.]+)", text))
    assert paths
    assert [p for p in paths if not any(p == m or p.startswith(f"{m}/") for m in mounted)] == []
    variables = set(re.findall(r"(?<![\w$])\$\{?([A-Z][A-Z_]+)", text))
    assert variables <= s["environment"].keys()


def test_nobody_waits_for_himself() -> None:
    def above(name: str, seen: tuple[str, ...] = ()) -> None:
        assert name not in seen, f"{' → '.join((*seen, name))}"
        for other in SERVICES[name].get("depends_on", {}):
            above(other, (*seen, name))

    for name in SERVICES:
        above(name)


def test_whoever_starts_without_a_profile_waits_only_for_such() -> None:
    for name, s in SERVICES.items():
        if not s.get("profiles"):
            assert not [o for o in s.get("depends_on", {}) if SERVICES[o].get("profiles")], name
    assert {p for s in SERVICES.values() for p in s.get("profiles", [])} == {"demo", "scale", "tools"}


def test_secrets_are_files_that_prepare_makes_and_no_value_stands_in_the_file(tmp_path: Path) -> None:
    used = {s for service in SERVICES.values() for s in service.get("secrets", [])}
    assert used == set(secret_files())
    to = certs.Folder(tmp_path)
    certs.stack(to)
    made = {p.name for p in tmp_path.iterdir()}
    assert {Path(f).name for f in secret_files().values()} <= made
    assert "ca.key" not in {Path(f).name for f in secret_files().values()}, "nobody who runs needs the authority's key"
    for name, s in SERVICES.items():
        for key, value in s.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|SECRET|DESK_DATABASE$", key) and not re.search("_FILE$", key):
                pytest.fail(f"{name}: {key}={value} holds a secret, not its file")


def test_what_is_bound_is_there_and_what_is_named_is_declared() -> None:
    for name, s in SERVICES.items():
        for v in s.get("volumes", []):
            if v["type"] == "volume":
                assert v["source"] in WHOLE["volumes"], name
            else:
                assert (ROOT / v["source"]).exists(), f"{name}: {v['source']}"


def test_only_devices_come_in_from_outside_and_no_port_is_taken_twice() -> None:
    taken: list[str] = []
    for name, s in SERVICES.items():
        for published in s.get("ports", []):
            address, port, _ = published.rsplit(":", 2)
            assert address == ("0.0.0.0" if name == "mosquitto" else "127.0.0.1"), name  # noqa: S104  compared
            taken.append(port)
    assert len(taken) == len(set(taken))


def test_every_variable_of_the_file_stands_in_the_example_with_its_default() -> None:
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE.read_text("utf-8")))
    example = dict(re.findall(r"^#?(\w+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert example.keys() == used.keys()
    shown = {k: v for k, v in example.items() if k != "LIFELINE_URL"}  # an example of an address outside
    assert shown == {k: v for k, v in used.items() if k in shown}


def test_the_broker_queues_by_bytes_and_within_its_memory() -> None:
    said: dict[str, Any] = {}
    for line in (ROOT / "docker/mosquitto/mosquitto.conf").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            key, value = line.split(" ", 1)
            said.setdefault(key, value)
    assert said["persistence"] == "true"
    assert said["max_queued_messages"] == "0"
    assert int(said["max_inflight_messages"]) >= 1000
    limit = size(SERVICES["mosquitto"]["deploy"]["resources"]["limits"]["memory"].replace("g", "GiB"))
    assert int(said["max_queued_bytes"]) * 484 / 85 < limit, "what a message of 85 bytes takes: docs/operations.md"


def test_the_settings_of_the_stack_name_what_the_services_mount() -> None:
    said = tomllib.loads((ROOT / "docker/lifeline/lifeline.toml").read_text("utf-8"))
    receive, desk = ({f"/run/secrets/{s}" for s in SERVICES[name]["secrets"]} for name in ("receive", "desk"))
    assert {said["canary"][k] for k in ("cert_file", "key_file")} < desk
    assert {said["broker"][k] for k in ("ca_file", "cert_file", "key_file")} == receive
    assert said["city"]["data"] == next(v["target"] for v in SERVICES["watch"]["volumes"] if v["type"] == "volume")
    for name, port in (("receive", said["health"]["receive_port"]), ("watch", said["health"]["watch_port"])):
        assert f":{port}/" in SERVICES[name]["healthcheck"]["test"][-1]
    assert f":{said['desk']['port']}" in said["watch"]["desk"]
