"""The monitoring itself: rates, lag, ledger, dead letters, journal, detectors, outbox, and how fast people are told."""

from collections.abc import Sequence
from typing import Final

from boards.board import Board, Row
from boards.domains import navigation
from boards.influx import EVERY, TIME, Select, back, equal, of
from boards.panels import JSON, Reckoned, Target, heatmap, series, stat, table, words
from boards.words import COLOURS, Language

BUCKETS: Final = (
    "0.01",
    "0.025",
    "0.05",
    "0.1",
    "0.25",
    "0.5",
    "1.0",
    "2.5",
    "5.0",
    "10.0",
    "30.0",
    "60.0",
    "300.0",
    "1800.0",
    "+Inf",
)
MINUTES: Final = 120_000  # [ms] a metric is scraped every ten seconds
RECENT: Final = back("2m")


def pipeline(say: Language) -> Board:
    return Board(
        "pipeline",
        say("监测系统", "Pipeline"),
        say(
            "监测系统自身：速率、积压、台账、死信、时延。", "The monitoring itself: rates, lag, ledger, dead letters, latency."
        ),
        [
            Row(say("现状", "How it stands"), now(say)),
            Row(say("接收与台账", "Taking in, and the ledger"), taking(say)),
            Row(say("判别", "Judging"), judging(say)),
            Row(say("预警送达", "Telling people"), telling(say)),
            Row(say("指标来源", "Where the figures come from"), [scraped(say)]),
        ],
        links=navigation(say, "pipeline"),
        since="now-3h",
        refresh="10s",
        tags=["lifeline", "pipeline"],
    )


def gauge(metric: str, by: Sequence[str] = ("process",), where: Sequence[str] = ()) -> Select:
    """The largest of a slot."""
    return Select('max("value")', of(metric), (TIME, *where), tuple(by), EVERY)


def rate(metric: str, by: Sequence[str] = ("process",)) -> Select:
    """Of a counter, by the second; a restart is no fall. Sources of several processes are not mixed."""
    return Select('non_negative_derivative(max("value"), 1s)', of(metric), (TIME,), tuple(by), EVERY)


def share(say: Language, title: str, histogram: str) -> JSON:
    """What a histogram's sum grew by, divided by what its count did: the mean of its observations."""
    parts = [Target(rate(f"{histogram}_{part}"), "$tag_process", hidden=True) for part in ("sum", "count")]
    return reckoned(say, title, parts, "$A / $B", "s")


def reckoned(say: Language, title: str, parts: Sequence[Target], expression: str, unit: str, *, about: str = "") -> JSON:
    """A line that Grafana reckons of hidden queries."""
    last = chr(ord("A") + len(parts))
    named = {
        "matcher": {"id": "byFrameRefID", "options": last},
        "properties": [{"id": "displayName", "value": title}],
    }
    targets: list[Target | Reckoned] = [*parts, Reckoned(expression)]
    return series(title, targets, say, unit=unit, w=8, gap=MINUTES, about=about, overrides=[named])


def flat(metric: str) -> Select:
    """The latest, of the last two minutes only."""
    return Select('last("value") AS "value"', of(metric), (RECENT,))


def drawn(
    say: Language, title: str, select: Select, unit: str, alias: str = "$tag_process", *, w: int = 8, about: str = ""
) -> JSON:
    return series(title, [Target(select, alias)], say, unit=unit, w=w, gap=MINUTES, about=about)


def figure(say: Language, title: str, metric: str, unit: str, bad: Sequence[tuple[float, str]], *, about: str = "") -> JSON:
    """A figure that turns yellow, orange or red. bad: from which value on which level's colour."""
    steps = [{"value": None, "color": COLOURS["NORMAL"]}, *({"value": v, "color": COLOURS[level]} for v, level in bad)]
    return stat(title, [Target(flat(metric), table=True)], say, unit=unit, steps=steps, column="/^value$/", about=about)


def now(say: Language) -> list[JSON]:
    late = [(30.0, "YELLOW"), (60.0, "RED")]
    connected = figure(
        say, say("与 Broker 的连接", "Session with the broker"), "lifeline_receive_connected", "none", [(1.0, "NORMAL")]
    )
    connected["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = COLOURS["RED"]
    connected["fieldConfig"]["defaults"]["mappings"] += words(
        [(0, say("断开", "lost"), COLOURS["RED"]), (1, say("已连接", "stands"), COLOURS["NORMAL"])]
    )
    return [
        connected,
        figure(say, say("当前延迟", "Lag now"), "lifeline_watch_lag_seconds", "s", late),
        figure(say, say("待发最久", "Oldest waiting now"), "lifeline_desk_outbox_oldest_seconds", "s", late),
        figure(
            say,
            say("待发通知", "Notices waiting"),
            "lifeline_desk_outbox_waiting",
            "none",
            [(100.0, "YELLOW"), (1000.0, "RED")],
        ),
        figure(
            say,
            say("未交值班台的变化", "Changes not handed in"),
            "lifeline_watch_unsent_changes",
            "none",
            [(1.0, "BLUE"), (1000.0, "RED")],
        ),
        figure(say, say("心跳年龄", "Age of the heartbeat"), "lifeline_desk_heartbeat_age_seconds", "s", late),
        figure(
            say,
            say("日志占用", "Journal"),
            "lifeline_receive_journal_bytes",
            "decbytes",
            [(3e9, "YELLOW"), (3.8e9, "RED")],
            about=say("上限见 [journal] max_size，默认 4 GB。", "Its limit is [journal] max_size, 4 GB by default."),
        ),
        stat(
            say("未关闭预警", "Warnings not closed"),
            [
                Target(
                    Select(
                        'sum("v") AS "value"',
                        (
                            Select(
                                'last("value") AS "v"', of("lifeline_desk_warnings"), (RECENT,), ("level", "state", "process")
                            ),
                        ),
                        (),
                    ),
                    table=True,
                )
            ],
            say,
            column="/^value$/",
        ),
    ]


def taking(say: Language) -> list[JSON]:
    """Messages and bytes in; the journal's head less watch's offset is what is in flight."""
    parts = [Target(gauge(m, ()), hidden=True) for m in ("lifeline_receive_journal_head", "lifeline_watch_offset")]
    balance = say(
        "已确认 = 已存 + 重复 + 死信 + 在途。在途 = 日志头 − 偏移量。",
        "Acknowledged = stored + duplicate + dead-lettered + in flight. In flight: the journal's head less the offset.",
    )
    per = say("条/秒", "by the second")
    return [
        drawn(say, say(f"接收报文（{per}）", f"Messages taken ({per})"), rate("lifeline_receive_messages_total"), "suffix: /s"),
        drawn(say, say("接收字节", "Bytes taken"), rate("lifeline_receive_bytes_total"), "Bps"),
        reckoned(say, say("在途报文（台账）", "Messages in flight (ledger)"), parts, "$A - $B", "none", about=balance),
        share(say, say("日志提交耗时（均值）", "One commit of the journal (mean)"), "lifeline_receive_commit_seconds"),
        drawn(say, say("日志大小", "Size of the journal"), gauge("lifeline_receive_journal_bytes"), "decbytes"),
        drawn(
            say,
            say("日志无空间拒收批次", "Batches the journal had no room for"),
            rate("lifeline_receive_journal_refused_total"),
            "suffix: /s",
        ),
    ]


def judging(say: Language) -> list[JSON]:
    return [
        drawn(
            say,
            say("判别读数（条/秒）", "Readings judged (by the second)"),
            rate("lifeline_watch_readings_total"),
            "suffix: /s",
        ),
        drawn(
            say,
            say("死信：拒收读数（条/秒）", "Dead letters: readings refused (by the second)"),
            rate("lifeline_watch_refused_total"),
            "suffix: /s",
            about=say("原因见 `lifeline journal dead`。", "The reasons: `lifeline journal dead`."),
        ),
        drawn(say, say("迟到读数（条/秒）", "Late readings (by the second)"), rate("lifeline_watch_late_total"), "suffix: /s"),
        drawn(say, say("处理延迟", "Lag of watch"), gauge("lifeline_watch_lag_seconds"), "s"),
        share(say, say("检测器一步耗时（均值）", "One step of the detectors (mean)"), "lifeline_watch_step_seconds"),
        drawn(
            say,
            say("级别变化（条/秒）", "Changes of level (by the second)"),
            rate("lifeline_watch_changes_total", ("level",)),
            "suffix: /s",
            "$tag_level",
        ),
    ]


def telling(say: Language) -> list[JSON]:
    reasons = rate("lifeline_desk_notifications_failed_total", ("integration", "reason"))
    return [
        latency(say),
        drawn(
            say,
            say("送达通知（条/秒）", "Notices delivered (by the second)"),
            rate("lifeline_desk_notifications_total", ("integration",)),
            "suffix: /s",
            "$tag_integration",
        ),
        drawn(
            say,
            say("发送失败（次/秒，按原因）", "Attempts that failed (by the second and reason)"),
            reasons,
            "suffix: /s",
            "$tag_integration $tag_reason",
        ),
        drawn(
            say,
            say("放弃的通知", "Notices given up"),
            gauge("lifeline_desk_notifications_given_up_total", ("integration",)),
            "none",
            "$tag_integration",
        ),
        drawn(say, say("最老待发通知", "Age of the oldest notice waiting"), gauge("lifeline_desk_outbox_oldest_seconds"), "s"),
        drawn(say, say("未关闭预警（按级别）", "Warnings not closed, by level"), by_level(), "none", "$tag_level"),
        drawn(
            say,
            say("静默与抑制的预警", "Warnings told to nobody"),
            gauge("lifeline_desk_suppressed", ("reason",)),
            "none",
            "$tag_reason",
        ),
        drawn(
            say,
            say("心跳年龄（按进程）", "Age of heartbeats, by process"),
            gauge("lifeline_desk_heartbeat_age_seconds", ("source",)),
            "s",
            "$tag_source",
        ),
        drawn(
            say,
            say("值班台收到的变化（按结果）", "Changes handed in, by fate"),
            rate("lifeline_desk_changes_total", ("fate",)),
            "suffix: /s",
            "$tag_fate",
        ),
        drawn(
            say,
            say("未评估隐患最长时间", "Oldest danger nobody has assessed"),
            gauge("lifeline_desk_dangers_unseen_seconds"),
            "s",
        ),
    ]


def by_level() -> Select:
    each = Select('last("value") AS "v"', of("lifeline_desk_warnings"), (TIME,), ("level", "state"), EVERY)
    return Select('sum("v")', (each,), (TIME,), ("level",), EVERY)


def latency(say: Language) -> JSON:
    """Notices by how long after the sensor's instant they were delivered. The metric's buckets hold all below them; here each
    holds its own.
    """
    title = say("从测量到送达的时延", "From the sensor to the first delivery")
    about = say(
        "每格：该时段内、该时延档的首次送达数。预警升级的首次送达才计入。",
        "Each cell: first deliveries of rises in that slot and bucket of latency.",
    )
    targets = [Target(bucket(below, upper), named(upper)) for below, upper in zip(("", *BUCKETS), BUCKETS, strict=False)]
    return heatmap(title, targets, about=about, interval="1m")


def bucket(below: str, upper: str) -> Select:
    """What came into a bucket in each slot."""
    metric = of("lifeline_desk_notification_latency_seconds_bucket")

    def grown(le: str, name: str) -> Select:
        return Select(f'non_negative_difference(max("value")) AS "{name}"', metric, (TIME, equal("le", le)), (), EVERY)

    if not below:
        return grown(upper, "n")
    return Select('last("u") - last("b") AS "n"', (grown(below, "b"), grown(upper, "u")), (TIME,), (), EVERY)


def named(upper: str) -> str:
    """The upper end of a bucket, as Grafana reads numbers."""
    return "Inf" if upper == "+Inf" else f"{float(upper):g}"


def scraped(say: Language) -> JSON:
    """When each process was last asked for its figures."""
    metrics = {
        "receive": "lifeline_receive_journal_head",
        "watch": "lifeline_watch_offset",
        "desk": "lifeline_desk_outbox_waiting",
    }
    select = Select('last("value") AS "value"', of(*metrics.values()), (back("30d"),), ("process",))
    return table(
        say("各进程指标的最近时间", "When each process last gave its figures"), [Target(select, table=True)], say, w=24, h=6
    )
