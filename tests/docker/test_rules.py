"""The rules about the monitoring itself: promtool reads them, each fires when it must, and none when all is well."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from pipeline.figures import figures, registries

ROOT: Final = Path(__file__).parents[2]
RULES: Final = ROOT / "docker/prometheus/lifeline.rules.yml"
MIRROR: Final = "lifeline_mirror_lag_seconds"  # of the process that mirrors into InfluxDB
HOURS: Final = 12


class Case(NamedTuple):
    """Series in promtool's notation, a value a minute, and when the alert must stand. Units of the series."""

    alert: str
    at: str
    series: dict[str, str]


BAD: Final = [
    Case("ProcessDown", "3m", {'up{job="lifeline-watch"}': "0x10"}),
    Case("BrokerLost", "3m", {"lifeline_receive_connected": "1 0x10"}),
    Case("SessionForgotten", "5m", {"lifeline_receive_forgotten_total": "0 0 1x10"}),
    Case("JournalFilling", "10m", {"lifeline_receive_journal_bytes": "97x20", "lifeline_receive_journal_max_bytes": "100x20"}),
    Case(
        "JournalFilling",
        "80m",
        {"lifeline_receive_disk_free_bytes": "10000-50x100", "lifeline_receive_disk_min_free_bytes": "64x100"},
    ),
    Case("JournalRefusing", "5m", {"lifeline_receive_journal_refused_total": "0 1+3x10"}),
    Case(
        "DeadLettersRising",
        "30m",
        {
            'lifeline_watch_messages_total{fate="stored"}': "0+95x60",
            'lifeline_watch_messages_total{fate="dead_lettered"}': "0+5x60",
        },
    ),
    Case(
        "CertificateExpiring", "1m", {'lifeline_receive_certificate_expiry_timestamp_seconds{certificate="broker"}': "86400x5"}
    ),
    Case("ProcessSilent", "2m", {'lifeline_desk_heartbeat_age_seconds{source="watch"}': "0+60x5"}),
    Case("WatchBehind", "3m", {"lifeline_watch_lag_seconds": "31x5"}),
    Case("WatchSaturated", "25m", {"lifeline_watch_step_seconds_sum": "0+55x60"}),
    Case(
        "CheckpointOld", "9m", {"lifeline_watch_checkpoint_age_seconds": "0+60x20", "lifeline_watch_in_flight_messages": "7x20"}
    ),
    Case("ChangesUnsent", "4m", {"lifeline_watch_unsent_changes": "2x10"}),
    Case("ChangesRefused", "1m", {"lifeline_watch_refused_changes": "1x5"}),
    Case(
        "ReadingsDoubtful",
        "80m",
        {
            'lifeline_watch_quality_total{quality="GOOD"}': "0+8x100",
            'lifeline_watch_quality_total{quality="BAD_STUCK"}': "0+2x100",
        },
    ),
    Case("ClockSkew", "4m", {"lifeline_watch_ahead_ratio": "0.9x10"}),
    Case("ClockSkew", "4m", {'lifeline_desk_clock_skew_seconds{source="receive"}': "-9x10"}),
    Case("MirrorLagging", "10m", {MIRROR: "500x20"}),
    Case("MirrorDeadLetters", "20m", {"lifeline_mirror_dead_letters_total": "0x5 3x20"}),
    Case("CanaryMissing", "5m", {"lifeline_canary_age_seconds": "0+60x10"}),
    Case(
        "CanarySlow",
        "30m",
        {
            'lifeline_canary_seconds_bucket{le="10"}': "0x60",
            'lifeline_canary_seconds_bucket{le="20"}': "0+1x60",
            'lifeline_canary_seconds_bucket{le="+Inf"}': "0+1x60",
        },
    ),
    Case(
        "NotificationSlow",
        "50m",
        {
            'lifeline_desk_notification_latency_seconds_bucket{le="60"}': "0x90",
            'lifeline_desk_notification_latency_seconds_bucket{le="300"}': "0+1x90",
            'lifeline_desk_notification_latency_seconds_bucket{le="+Inf"}': "0+1x90",
        },
    ),
    Case("OutboxOld", "5m", {"lifeline_desk_outbox_oldest_seconds": "0+60x10"}),
    Case(
        "NotificationsFailing",
        "30m",
        {
            'lifeline_desk_notifications_total{integration="sms"}': "0+20x60",
            'lifeline_desk_notifications_failed_total{integration="sms",reason="timeout"}': "0+1x60",
        },
    ),
    Case(
        "NotificationsFailing",
        "30m",
        {'lifeline_desk_notifications_failed_total{integration="sms",reason="timeout"}': "0+1x60"},
    ),
    Case("NotificationsGivenUp", "3m", {'lifeline_desk_notifications_given_up_total{integration="sms"}': "0 1x10"}),
    Case("ChainOverdue", "3m", {"lifeline_desk_chains_overdue": "1x10"}),
    Case("ChainOverdue", "3m", {"lifeline_desk_chains_forgotten": "1x10"}),
    Case("NotReady", "8m", {'lifeline_receive_ready{instance="a"}': "0x10", 'lifeline_watch_ready{instance="b"}': "1x10"}),
    Case("ConfigRefused", "3m", {'lifeline_desk_config_valid{instance="c"}': "0x10"}),
    Case("ConfigPending", "70m", {'lifeline_desk_config_pending{instance="c"}': "1x80"}),
    Case("DatabaseGrowing", "9h", {"lifeline_desk_database_bytes": "1000000000+1000000x700"}),
]
WELL: Final = {
    'up{job="lifeline-watch"}': "1x720",
    "lifeline_receive_connected": "1x720",
    "lifeline_receive_forgotten_total": "0x720",
    "lifeline_receive_journal_bytes": "90x720",
    "lifeline_receive_journal_max_bytes": "100x720",
    "lifeline_receive_disk_free_bytes": "1000000x720",
    "lifeline_receive_disk_min_free_bytes": "64x720",
    "lifeline_receive_journal_refused_total": "0x720",
    'lifeline_watch_messages_total{fate="stored"}': "0+999x720",
    'lifeline_watch_messages_total{fate="dead_lettered"}': "0+1x720",
    'lifeline_receive_certificate_expiry_timestamp_seconds{certificate="broker"}': "9000000x720",
    'lifeline_desk_heartbeat_age_seconds{source="watch"}': "3x720",
    "lifeline_watch_lag_seconds": "0.2x720",
    "lifeline_watch_step_seconds_sum": "0+20x720",
    "lifeline_watch_checkpoint_age_seconds": "5x720",
    "lifeline_watch_in_flight_messages": "10x720",
    "lifeline_watch_unsent_changes": "0x720",
    "lifeline_watch_refused_changes": "0x720",
    'lifeline_watch_quality_total{quality="GOOD"}': "0+99x720",
    'lifeline_watch_quality_total{quality="BAD_RANGE"}': "0+1x720",
    "lifeline_watch_ahead_ratio": "0.01x720",
    'lifeline_desk_clock_skew_seconds{source="receive"}': "0.02x720",
    MIRROR: "12x720",
    "lifeline_canary_age_seconds": "30x720",
    'lifeline_canary_seconds_bucket{le="0.5"}': "0+1x720",
    'lifeline_canary_seconds_bucket{le="+Inf"}': "0+1x720",
    'lifeline_desk_notification_latency_seconds_bucket{le="0.5"}': "0+1x720",
    'lifeline_desk_notification_latency_seconds_bucket{le="+Inf"}': "0+1x720",
    "lifeline_desk_outbox_oldest_seconds": "0x720",
    'lifeline_desk_notifications_total{integration="sms"}': "0+999x720",
    'lifeline_desk_notifications_failed_total{integration="sms",reason="timeout"}': "0+1x720",
    'lifeline_desk_notifications_given_up_total{integration="sms"}': "0x720",
    "lifeline_desk_chains_overdue": "0x720",
    "lifeline_desk_chains_forgotten": "0x720",
    'lifeline_receive_ready{instance="a"}': "1x720",
    'lifeline_desk_config_valid{instance="c"}': "1x720",
    'lifeline_desk_config_pending{instance="c"}': "0x720",
    "lifeline_desk_database_bytes": "1000000000+1000x720",
}


def promtool(*args: str) -> str:
    """What it says; it must be content."""
    found = shutil.which("promtool")
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("promtool is missing: apt-get install prometheus")
    done = subprocess.run([str(found), *args], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def test_promtool_reads_the_rules() -> None:
    assert f"{len(alerts())} rules found" in promtool("check", "rules", str(RULES))


def firing(alert: str) -> str:
    return f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) by (alertname)'


def test_each_fires_when_it_must_and_none_when_all_is_well(tmp_path: Path) -> None:
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": s, "values": v} for s, v in case.series.items()],
            "promql_expr_test": [
                {
                    "expr": firing(case.alert),
                    "eval_time": case.at,
                    "exp_samples": [{"labels": f'{{alertname="{case.alert}"}}', "value": 1}],
                }
            ],
        }
        for case in BAD
    ]
    well = {
        "interval": "1m",
        "input_series": [{"series": s, "values": v} for s, v in WELL.items()],
        "promql_expr_test": [{"expr": "ALERTS", "eval_time": f"{h}h", "exp_samples": []} for h in range(1, HOURS + 1)],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [*tests, well]}))
    promtool("test", "rules", str(file))


def test_every_alert_is_tried_and_says_in_both_languages_what_to_do() -> None:
    assert {case.alert for case in BAD} == {a["alert"] for a in alerts()}
    for alert in alerts():
        told = alert["annotations"]
        assert told["runbook_url"] == f"docs/operations.md#{alert['alert'].lower()}"
        zh, _, en = told["summary"].partition(" | ")
        assert re.search("[一-鿿]", zh)
        assert en.isascii()
        assert re.search("[一-鿿]", told["description"])
        assert alert["labels"]["severity"] in {"critical", "warning", "info"}


def test_the_rules_ask_only_for_metrics_that_there_are() -> None:
    known = {f.name for r in registries().values() for f in figures(r)} | {MIRROR}
    known |= {f"{name}{end}" for name in known for end in ("_bucket", "_sum", "_count")}
    for alert in alerts():
        for name in re.findall(r"\blifeline_[a-z_]+(?=[\[{ )]|$)", alert["expr"]):
            assert name in known, alert["alert"]
    said = {s.partition("{")[0] for case in BAD for s in case.series} - {"up"}
    assert said <= known
