"""What Grafana reads from files as it starts: the data source, the folders of boards, alerts on the monitoring itself.

Grafana replaces `$NAME` and `$__file{path}` in these files, but in the model of an alert's query, where `$timeFilter` stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml

from boards.influx import TIME, Select, of
from boards.marks import JSON
from boards.panels import EXPRESSION, SOURCE
from boards.words import FOLDERS, Language, folder_uid

BOARDS: Final = "/etc/grafana/boards"  # where docker-compose.yml mounts boards/json
NOTE: Final = "# Made by `lifeline boards build`; `lifeline boards build --check` finds what was changed by hand.\n"
CONTACT: Final = "lifeline-desk"
GROUP: Final = "lifeline"


@dataclass(frozen=True)
class Watchword:
    """One alert on the monitoring itself: it fires, and fires too when its figure does not come."""

    name: str
    query: Select
    worse: str  # "gt", "lt"
    than: float
    last: str  # how long it must be so
    level: str
    zh: str
    en: str


LABELS: Final = ("integration", "reason")  # each with a count of its own


def newest(metric: str, function: str = "last") -> Select:
    return Select(f'{function}("value")', of(metric), (TIME,), ("process",))


def grown(metric: str, by: Sequence[str] = ("process",)) -> Select:
    """By how much a counter grew in the time looked at."""
    grew = Select('non_negative_difference("value") AS "grew"', of(metric), (TIME,), (*by, *LABELS, "instance"))
    return Select('sum("grew")', (grew,), (TIME,), tuple(by))


WATCHWORDS: Final = (
    Watchword("lifeline-broker-lost", newest("lifeline_receive_connected", "min"), "lt", 1, "1m", "RED",
              "与 Broker 的连接中断，收不到任何读数。", "The session with the broker is lost: no reading comes in."),
    Watchword("lifeline-lag", newest("lifeline_watch_lag_seconds", "min"), "gt", 60, "2m", "RED",
              "判别落后超过一分钟，预警会迟到。", "Judging is more than a minute behind: warnings come late."),
    Watchword("lifeline-unsent", newest("lifeline_watch_unsent_changes", "min"), "gt", 0, "2m", "RED",
              "级别变化交不到值班台。", "Changes of level do not reach the desk."),
    Watchword("lifeline-outbox", newest("lifeline_desk_outbox_oldest_seconds", "min"), "gt", 60, "2m", "RED",
              "通知积压超过一分钟未送达。", "Notices wait for more than a minute."),
    Watchword("lifeline-heartbeat", newest("lifeline_desk_heartbeat_age_seconds", "max"), "gt", 60, "1m", "ORANGE",
              "有进程一分钟没有心跳。", "A process was not heard for a minute."),
    Watchword("lifeline-refused", grown("lifeline_watch_refused_total"), "gt", 100, "5m", "YELLOW",
              "死信增多：五分钟内拒收读数超过 100 条。", "Dead letters: more than 100 readings refused in five minutes."),
    Watchword("lifeline-journal-full", grown("lifeline_receive_journal_refused_total"), "gt", 0, "1m", "RED",
              "日志没有空间，报文没有确认。", "The journal has no room: messages are not acknowledged."),
    Watchword("lifeline-given-up", grown("lifeline_desk_notifications_failed_total"), "gt", 20, "5m", "ORANGE",
              "通知发送失败过多。", "Too many attempts to notify fail."),
    Watchword("lifeline-canary", newest("lifeline_canary_age_seconds", "max"), "gt", 180, "1m", "RED",
              "巡检读数三分钟没有走通全程。", "The canary has not come through for three minutes."),
    Watchword("lifeline-mirror", Select('count("rank")', of("asset"), (TIME,), ()), "lt", 1, "2m", "ORANGE",
              "镜像已停：看板上全部设施为未知。", "The mirror stands still: all assets on the boards are unknown."),
)  # fmt: skip
SELDOM: Final = frozenset({"lifeline-given-up"})  # its figure exists only once something has failed


@cache
def files() -> dict[str, str]:
    """Path below docker/grafana/provisioning -> text."""
    made = {
        "datasources/lifeline.yaml": datasources(),
        "dashboards/lifeline.yaml": dashboards(),
        "alerting/rules.yaml": rules(),
        "alerting/contact-points.yaml": contact_points(),
        "alerting/policies.yaml": policies(),
    }
    return {path: NOTE + yaml.dump(d, Dumper=Plain, allow_unicode=True, sort_keys=False, width=200) for path, d in made.items()}


class Plain(yaml.SafeDumper):
    """Without anchors: people read these files."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def datasources() -> JSON:
    """InfluxDB by InfluxQL. The header is what 2.x and 3 want; 1.8 without users does not mind it."""
    source = {
        "uid": SOURCE["uid"],
        "name": "lifeline",
        "type": SOURCE["type"],
        "access": "proxy",
        "url": "$INFLUX_URL",
        "isDefault": True,
        "editable": False,
        "jsonData": {"dbName": "$INFLUX_DATABASE", "httpMode": "POST", "httpHeaderName1": "Authorization"},
        "secureJsonData": {"httpHeaderValue1": "Token $__file{/run/secrets/influx_token}"},
    }
    return {"apiVersion": 1, "datasources": [source]}


def dashboards() -> JSON:
    """Both languages; changed only by building them anew."""
    providers = [
        {
            "name": f"lifeline-{say}",
            "folder": FOLDERS[say],
            "folderUid": folder_uid(say),
            "type": "file",
            "disableDeletion": False,
            "allowUiUpdates": False,
            "updateIntervalSeconds": 30,
            "options": {"path": f"{BOARDS}/{say}", "foldersFromFilesStructure": False},
        }
        for say in Language
    ]
    return {"apiVersion": 1, "providers": providers}


def rules() -> JSON:
    group = {
        "orgId": 1,
        "name": GROUP,
        "folder": FOLDERS[Language.ZH],
        "interval": "30s",
        "rules": [rule(w) for w in WATCHWORDS],
    }
    return {"apiVersion": 1, "groups": [group]}


def rule(w: Watchword) -> JSON:
    """Query, its last value, and the comparison. No data is an alarm: silence is never normal."""
    return {
        "uid": w.name,
        "title": w.zh,
        "condition": "C",
        "data": [asked(w), reduced(), compared(w)],
        "for": w.last,
        "noDataState": "OK" if w.name in SELDOM else "Alerting",
        "execErrState": "Alerting",
        "labels": {"severity": w.level, "domain": "pipeline", "hazard": "pipeline_failing"},
        "annotations": {"summary": w.zh, "description": w.en},
    }


def asked(w: Watchword) -> JSON:
    model = {
        "refId": "A", "datasource": SOURCE, "rawQuery": True, "query": str(w.query), "resultFormat": "time_series",
        "intervalMs": 10_000, "maxDataPoints": 1000,
    }  # fmt: skip
    span = {"from": 300 if "grew" in str(w.query) else 60, "to": 0}  # [s]
    return {"refId": "A", "relativeTimeRange": span, "datasourceUid": SOURCE["uid"], "model": model}


def reduced() -> JSON:
    model = {"refId": "B", "type": "reduce", "datasource": EXPRESSION, "expression": "A", "reducer": "last"}
    return {"refId": "B", "datasourceUid": EXPRESSION["uid"], "model": model}


def compared(w: Watchword) -> JSON:
    condition = {"evaluator": {"type": w.worse, "params": [w.than]}}
    model = {"refId": "C", "type": "threshold", "datasource": EXPRESSION, "expression": "B", "conditions": [condition]}
    return {"refId": "C", "datasourceUid": EXPRESSION["uid"], "model": model}


def contact_points() -> JSON:
    """The desk itself, by Alertmanager's API: who is on duty hears of it as of everything else."""
    settings = {
        "url": "$DESK_URL",
        "basicAuthUser": "grafana",
        "basicAuthPassword": "$__file{/run/secrets/desk_grafana_password}",
    }
    receiver: dict[str, Any] = {
        "uid": CONTACT, "type": "prometheus-alertmanager", "disableResolveMessage": False, "settings": settings,
    }  # fmt: skip
    return {"apiVersion": 1, "contactPoints": [{"orgId": 1, "name": CONTACT, "receivers": [receiver]}]}


def policies() -> JSON:
    """Everything to the desk, at once; it bundles by itself."""
    policy = {
        "orgId": 1, "receiver": CONTACT, "group_by": ["alertname"], "group_wait": "5s", "group_interval": "30s",
        "repeat_interval": "1h",
    }  # fmt: skip
    return {"apiVersion": 1, "policies": [policy]}
