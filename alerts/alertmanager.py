"""The shapes of Prometheus Alertmanager (API v2, webhook version 4), so that what works with it works with the desk."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lifeline.clock import iso

UNSET: Final = "0001-01-01T00:00:00Z"  # Go's zero time: not over yet
Labels = dict[str, str]


def labels(row: Mapping[str, Any]) -> Labels:
    """What a warning is, as labels. Identity is the fingerprint, not the labels: the level among them changes."""
    names = ("warning", "kind", "domain", "city", "district", "asset", "owner")
    return {"alertname": row["hazard"], "severity": row["level"], **{n: row[n] for n in names}}


def annotations(*, zh: str, en: str, description: str) -> Labels:
    return {"summary": en, "summary_zh": zh, "description": description}


def link(public_url: str, warning: str) -> str:
    """Where a person reads about a warning."""
    return f"{public_url.rstrip('/')}/api/v1/warnings/{warning}"


def gettable(row: Mapping[str, Any], *, receivers: Iterable[str], public_url: str, now: int) -> dict[str, Any]:
    """One alert as GET /api/v2/alerts gives it. row: a warning with its level by name; now [ns]"""
    ends = (
        row["cleared"] if row["cleared"] is not None else now + 300_000_000_000
    )  # as Alertmanager: an active alert ends a while from now
    told = {
        "state": row["state"],
        "why": row["why"],
        "acknowledged_by": row["acknowledged_by"] or "",
        "comment": row["comment"] or "",
    }
    return {
        "labels": labels({**row, "warning": row["id"]}),
        "annotations": {
            **annotations(zh=row["zh"], en=row["en"], description=row["en"]),
            **{k: v for k, v in told.items() if v},
        },
        "startsAt": iso(row["onset"]),
        "endsAt": iso(ends),
        "updatedAt": iso(row["updated"]),
        "generatorURL": link(public_url, row["id"]),
        "fingerprint": row["id"],
        "receivers": [{"name": r} for r in receivers],
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
    }


def webhook(alert: dict[str, Any], *, receiver: str, group: str, firing: bool, public_url: str) -> dict[str, Any]:
    """The body of a webhook, version 4, with one alert in it."""
    return {
        "version": "4",
        "groupKey": group,
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": receiver,
        "groupLabels": {"warning": alert["fingerprint"]},
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "externalURL": public_url,
        "alerts": [alert],
    }
