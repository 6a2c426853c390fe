"""Alertmanager's configuration, read unchanged; amtool's verdict is the oracle where it is installed."""

import shutil
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from alerts.routing.document import BadDuration, duration
from alerts.routing.plan import Plan, load, read
from alerts.routing.tree import Way, reached
from lifeline.config import ConfigRefused

Planned = Callable[[str], Plan]
AMTOOL = shutil.which("amtool")

CITY = """
global:
  smtp_smarthost: 'mail.example.org:587'
  smtp_from: desk@example.org
  smtp_auth_username: desk
  smtp_auth_password: topsecret
  resolve_timeout: 3m
route:
  receiver: centre
  group_by: [district, alertname]
  group_wait: 10s
  group_interval: 1m30s
  repeat_interval: 1h
  routes:
    - matchers: [ kind="ticket" ]
      receiver: maintenance
      mute_time_intervals: [night]
      group_wait: 0s
    - matchers: [ 'severity=~"ORANGE|RED"', domain="gas" ]
      receiver: gas-duty
      continue: true
      group_by: ['...']
    - match: {domain: gas}
      receiver: gas-office
      labels: {team: gas}
      routes:
        - match_re: {district: "Fenglu|Long.*"}
          receiver: gas-field
          continue: yes
        - matchers: [ asset=~"W-.+" ]
    - matchers:
        - '{domain="water", district!="Fenglu"}'
      receiver: water
      routes:
        - matchers: [ owner="" ]
          receiver: nobody's
          active_time_intervals: [night]
receivers:
  - name: centre
    webhook_configs:
      - url: http://user:pass@127.0.0.1:9911/centre
      - url: http://127.0.0.1:9911/second
        send_resolved: false
        http_config: {authorization: {credentials: abc}, tls_config: {insecure_skip_verify: true}}
  - name: maintenance
    email_configs: [{to: 'fix@example.org, night@example.org'}]
  - name: gas-duty
  - name: gas-office
  - name: gas-field
  - name: water
  - name: nobody's
inhibit_rules:
  - name: whole
    source_matchers: [ alertname="pipeline_silent" ]
    target_matchers: [ alertname="silence" ]
  - source_match: {severity: RED}
    target_match_re: {severity: "YELLOW|BLUE"}
    equal: [asset]
time_intervals:
  - name: night
    time_intervals:
      - times: [{start_time: 22:00, end_time: 24:00}, {start_time: 00:00, end_time: 06:00}]
        weekdays: ['monday:friday', saturday]
        days_of_month: ['1:-1']
        months: ['january:12']
        years: ['2020:2030']
        location: Asia/Shanghai
templates: ['*.tmpl']
"""


def test_a_file_is_read_as_it_stands(planned: Planned) -> None:
    plan = planned(CITY)
    root = plan.root
    assert (root.group_wait, root.group_interval, root.repeat_interval, root.group_by) == (
        10,
        90,
        3600,
        ("district", "alertname"),
    )
    ticket, duty, office, water = root.routes
    assert (ticket.group_wait, ticket.group_interval, ticket.mute) == (0, 90, ("night",))
    assert (duty.goes_on, duty.group_by) == (True, None)
    assert [n.receiver for n in office.routes] == ["gas-field", "gas-office"]
    assert (dict(office.routes[0].labels), office.routes[0].goes_on) == ({"team": "gas"}, True)
    assert water.routes[0].active == ("night",)
    assert plan.resolve_timeout == 180
    assert [(r.name, r.equal) for r in plan.rules] == [("whole", ()), ("inhibit_rules[1]", ("asset",))]
    assert [note.split(": ")[1] for note in plan.notes] == ["templates"]


def test_receivers_become_channels(planned: Planned) -> None:
    plan = planned(CITY)
    assert plan.ways["centre"] == (Way("centre", ends=True), Way("centre-2", ends=False))
    assert plan.ways["gas-duty"] == ()
    assert plan.tables["centre-2"]["token"] == "abc"  # noqa: S105
    assert plan.tables["centre-2"]["verify"] is False
    mail = plan.tables["maintenance"]
    assert mail["to"] == ["fix@example.org", "night@example.org"]
    assert (mail["host"], mail["port"], mail["security"]) == ("mail.example.org", 587, "starttls")
    assert (mail["username"], mail["password"]) == ("desk", "topsecret")


def test_a_channel_of_the_configuration_takes_the_place_of_a_receiver_of_its_name(tmp_path: Path) -> None:
    text = "route: {receiver: pager}\nreceivers: [{name: pager, pagerduty_configs: [{service_key: x}]}]"
    plan = read(tmp_path / "a.yml", text, ["pager"])
    assert plan.ways == {"pager": (Way("pager"),)}
    assert plan.tables == {}
    with pytest.raises(ConfigRefused, match=r"receivers\[0\].pagerduty_configs: is not supported; \[channels.pager\]"):
        read(tmp_path / "a.yml", text)


def test_secrets_are_hidden_when_the_file_is_shown(planned: Planned) -> None:
    shown = planned(CITY).text
    assert "topsecret" not in shown
    assert ":pass@" not in shown
    assert "abc}" not in shown
    assert "http://user:hidden@127.0.0.1:9911/centre" in shown


WRONG = """
route:
  receiver: centr
  group_by: [a, a]
  matchers: [ a="b" ]
  group_interval: 0s
  routes:
    - matchers: [ 'a=~"("' , 'x' ]
      group_wait: soon
      mute_time_intervals: [nihgt]
      recever: centre
      repeat_interval: 5 minutes
    - group_by: ['...', b]
      continue: maybe
receivers:
  - name: centre
    webhook_configs: [{}]
    wechat_configs: [{to_user: x}]
  - name: centre
  - webhook_configs: []
inhibit_rules:
  - source_matchers: [ a="b" ]
time_intervals:
  - name: night
    time_intervals:
      - times: [{start_time: 25:00, end_time: 06:00}, {start_time: 06:00, end_time: 05:00}]
        weekdays: [mon]
        days_of_month: ['0']
        location: Mars
  - name: night
rout: {}
"""


def test_everything_wrong_is_said_at_once_with_its_place(planned: Planned, tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused) as refused:
        planned(WRONG)
    said = [p.removeprefix(f"{tmp_path / 'alertmanager.yml'}:") for p in refused.value.problems]
    assert all(p.split(":")[0].isdigit() for p in said), said
    night = "time_intervals[0].time_intervals[0]"
    assert sorted(p.split(": ")[1] for p in said) == sorted(
        [
            "rout", "receivers[0].webhook_configs[0]", "receivers[0].wechat_configs", "receivers[1].name", "receivers[2]",
            f"{night}.times[0]", f"{night}.times[1]", f"{night}.weekdays[0]", f"{night}.days_of_month[0]", f"{night}.location",
            "time_intervals[1].name", "route.receiver", "route.group_by", "route.matchers", "route.group_interval",
            "route.routes[0].matchers[0]", "route.routes[0].matchers[1]", "route.routes[0].group_wait",
            "route.routes[0].mute_time_intervals[0]", "route.routes[0].recever", "route.routes[0].repeat_interval",
            "route.routes[1].group_by", "route.routes[1].continue", "inhibit_rules[0]",
        ]
    )  # fmt: skip
    assert any("there is no receiver 'centr'; did you mean 'centre'?" in p for p in said), said
    assert any("did you mean 'receiver'?" in p for p in said), said


@pytest.mark.parametrize("text", ["", "- a", "a: [", "route: 3", "route: {receiver: x}", "\x00", "a: &x [*x]", "? [a]\n: b"])
def test_what_is_no_configuration_is_refused(planned: Planned, text: str) -> None:
    with pytest.raises(ConfigRefused):
        planned(text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="cannot be read"):
        load(tmp_path / "none.yml")


def test_anchors_and_merges_are_followed(planned: Planned) -> None:
    plan = planned(
        "x-a: 1"
        and """
route:
  receiver: a
  routes:
    - &gas
      matchers: [ domain="gas" ]
      receiver: b
      group_wait: 7s
    - <<: *gas
      receiver: a
receivers: [{name: a}, {name: b}]
"""
    )
    again = plan.root.routes[1]
    assert (again.receiver, again.group_wait, [str(m) for m in again.matchers]) == ("a", 7, ['domain="gas"'])


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("1h30m", 5400), ("1w", 604800), ("1d1ms", 86400.001), ("90s", 90)])
def test_durations_are_prometheus_own(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m5", "5 m", "1.5h", "-1s", "1m1h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadDuration):
        duration(text)


CASES = [
    ({"kind": "ticket", "domain": "gas"}, ["maintenance"]),
    ({"domain": "gas"}, ["gas-office"]),
    ({"domain": "gas", "district": "Fenglu"}, ["gas-field"]),
    ({"domain": "gas", "district": "Fenglu", "asset": "W-1"}, ["gas-field", "gas-office"]),
    ({"domain": "gas", "district": "Fen"}, ["gas-office"]),  # an expression is bound to both ends
    ({"domain": "gas", "severity": "RED"}, ["gas-duty", "gas-office"]),
    ({"domain": "gas", "severity": "RED", "district": "Longjie"}, ["gas-duty", "gas-field"]),
    ({"domain": "gas", "severity": "RED!"}, ["gas-office"]),
    ({"domain": "water", "owner": "x"}, ["water"]),  # a district that is not there is not Fenglu
    ({"domain": "water"}, ["nobody's"]),  # an owner that is not there is empty
    ({"domain": "water", "district": "Fenglu"}, ["centre"]),
    ({"domain": "bridge", "severity": "RED"}, ["centre"]),
    ({}, ["centre"]),
]


@pytest.mark.parametrize(("labels", "receivers"), CASES)
def test_labels_come_out_where_the_tree_leads_them(planned: Planned, labels: dict[str, str], receivers: list[str]) -> None:
    assert [n.receiver for n in reached(planned(CITY).root, labels)] == receivers


@pytest.mark.skipif(AMTOOL is None, reason="amtool is not installed")
def test_amtool_takes_the_same_file_and_leads_the_same_labels_to_the_same_receivers(planned: Planned, tmp_path: Path) -> None:
    file, plan = tmp_path / "am.yml", planned(CITY)
    older = CITY.replace("      labels: {team: gas}\n", "").replace("  - name: whole\n    source", "  - source")
    file.write_text(older, "utf-8")
    values = {
        "kind": ["", "ticket"], "domain": ["", "gas", "water"], "district": ["", "Fenglu", "Longjie"],
        "severity": ["", "RED", "BLUE"], "owner": ["", "x"],
    }  # fmt: skip
    for chosen in list(product(*values.values()))[::3]:
        labels = {k: v for k, v in zip(values, chosen, strict=True) if v}
        command = [str(AMTOOL), "config", "routes", "test", f"--config.file={file}", *(f"{k}={v}" for k, v in labels.items())]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        assert told.split(",") == [n.receiver for n in reached(plan.root, labels)], labels
