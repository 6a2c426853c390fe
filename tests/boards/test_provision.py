"""Provisioning of Grafana by files: of the shape its documentation gives, and alerts that fire when they should."""

import re
from typing import Any

import pytest
import yaml

from boards.provision import SELDOM, WATCHWORDS, Watchword, files
from boards.words import FOLDERS, Language, folder_uid
from tests.boards.influxd import Influxd
from tests.boards.town import MINUTE, NOW

JSON = dict[str, Any]
SPAN = re.compile(r"[0-9]+[smhd]")


@pytest.fixture(scope="module")
def read() -> dict[str, JSON]:
    return {path: yaml.safe_load(text) for path, text in files().items()}


def rules(read: dict[str, JSON]) -> list[JSON]:
    (group,) = read["alerting/rules.yaml"]["groups"]
    found: list[JSON] = group["rules"]
    return found


def test_every_file_says_which_version_of_the_format_it_is(read: dict[str, JSON]) -> None:
    assert all(f["apiVersion"] == 1 for f in read.values())
    assert not any("&id" in text or "*id" in text for text in files().values())


def test_the_data_source_has_the_uid_that_boards_ask_for_and_no_secret(read: dict[str, JSON]) -> None:
    (source,) = read["datasources/lifeline.yaml"]["datasources"]
    assert (source["uid"], source["type"]) == ("lifeline-influx", "influxdb")
    assert source["secureJsonData"] == {"httpHeaderValue1": "Token $__file{/run/secrets/influx_token}"}
    assert source["jsonData"]["httpHeaderName1"] == "Authorization"


def test_folders_have_fixed_uids_and_titles_of_their_own(read: dict[str, JSON]) -> None:
    providers = read["dashboards/lifeline.yaml"]["providers"]
    assert [(p["folder"], p["folderUid"]) for p in providers] == [(FOLDERS[say], folder_uid(say)) for say in Language]
    assert [p["options"]["path"] for p in providers] == ["/etc/grafana/boards/zh", "/etc/grafana/boards/en"]
    assert all(p["allowUiUpdates"] is False for p in providers)


def test_rules_lie_in_a_folder_that_is_there_and_have_what_grafana_wants(read: dict[str, JSON]) -> None:
    (group,) = read["alerting/rules.yaml"]["groups"]
    assert group["folder"] in FOLDERS.values()
    assert SPAN.fullmatch(group["interval"])
    found = rules(read)
    assert len({r["uid"] for r in found}) == len({r["title"] for r in found}) == len(found)
    for rule in found:
        assert re.fullmatch(r"[a-z-]{1,40}", rule["uid"])
        assert SPAN.fullmatch(rule["for"])
        assert rule["condition"] == rule["data"][-1]["refId"] == "C"
        assert [d["refId"] for d in rule["data"]] == [d["model"]["refId"] for d in rule["data"]]
        assert rule["execErrState"] == "Alerting"
        assert rule["labels"]["severity"] in {"RED", "ORANGE", "YELLOW", "BLUE"}


def test_no_data_is_an_alarm_but_where_a_figure_exists_only_once_something_went_wrong(read: dict[str, JSON]) -> None:
    assert {r["uid"] for r in rules(read) if r["noDataState"] != "Alerting"} == SELDOM


def test_alerts_go_to_the_desk_with_a_password_from_a_file(read: dict[str, JSON]) -> None:
    (contact,) = read["alerting/contact-points.yaml"]["contactPoints"]
    (receiver,) = contact["receivers"]
    assert receiver["type"] == "prometheus-alertmanager"
    assert receiver["settings"]["basicAuthPassword"] == "$__file{/run/secrets/desk_grafana_password}"
    (policy,) = read["alerting/policies.yaml"]["policies"]
    assert policy["receiver"] == contact["name"]


def fires(server: Influxd, w: Watchword, now: int, database: str = "lifeline") -> bool | None:
    """Whether it would, as reduce and threshold have it; None: no data. now [ms]"""
    rule = next(r for r in rules({p: yaml.safe_load(t) for p, t in files().items()}) if r["uid"] == w.name)
    ask, reduce, compare = rule["data"]
    assert reduce["model"]["reducer"] == "last"
    since = now - ask["relativeTimeRange"]["from"] * 1000
    query = ask["model"]["query"].replace("$timeFilter", f"time >= {since}ms and time <= {now}ms")
    lasts = [s["values"][-1][1] for s in server.ask(query, database)]
    evaluator = compare["model"]["conditions"][0]["evaluator"]
    (than,) = evaluator["params"]
    return any(v > than if evaluator["type"] == "gt" else v < than for v in lasts) if lasts else None


@pytest.mark.parametrize("w", WATCHWORDS, ids=lambda w: w.name)
def test_nothing_fires_while_all_is_well(influxd: Influxd, w: Watchword) -> None:
    assert fires(influxd, w, NOW) is False


@pytest.mark.parametrize("w", WATCHWORDS, ids=lambda w: w.name)
def test_there_is_no_data_when_the_figures_stop(influxd: Influxd, w: Watchword) -> None:
    assert fires(influxd, w, NOW + 10 * MINUTE) is None


ILL = {
    "lifeline-broker-lost": "lifeline_receive_connected,process=receive value={x}",
    "lifeline-lag": "lifeline_watch_lag_seconds,process=watch value={x}",
    "lifeline-canary": "lifeline_canary_age_seconds,process=desk value={x}",
    "lifeline-unsent": "lifeline_watch_unsent_changes,process=watch value={x}",
    "lifeline-outbox": "lifeline_desk_outbox_oldest_seconds,process=desk value={x}",
    "lifeline-heartbeat": "lifeline_desk_heartbeat_age_seconds,process=desk,source=watch value={x}",
    "lifeline-refused": "lifeline_watch_refused_total,process=watch,reason=range value={c}",
    "lifeline-journal-full": "lifeline_receive_journal_refused_total,process=receive value={c}",
    "lifeline-given-up": "lifeline_desk_notifications_failed_total,process=desk,integration=sms,reason=serverError value={c}",
}  # fmt: skip


@pytest.mark.parametrize("w", [w for w in WATCHWORDS if w.name in ILL], ids=lambda w: w.name)
def test_each_fires_when_it_should(influxd: Influxd, w: Watchword) -> None:
    influxd.create("ill")
    bad = 0 if w.worse == "lt" else 1000
    lines = [ILL[w.name].format(x=bad, c=float(20 * i)) + f" {NOW - (30 - i) * 10_000}000000" for i in range(31)]
    influxd.write("\n".join(lines), "ill")
    assert fires(influxd, w, NOW, "ill") is True


def test_a_restart_is_no_rise_of_a_counter(influxd: Influxd) -> None:
    influxd.create("again")
    counts = [500.0] * 15 + [0.0] * 16
    lines = [
        f"lifeline_watch_refused_total,process=watch value={v} {NOW - (30 - i) * 10_000}000000" for i, v in enumerate(counts)
    ]
    influxd.write("\n".join(lines), "again")
    w = next(w for w in WATCHWORDS if w.name == "lifeline-refused")
    assert fires(influxd, w, NOW, "again") is False
