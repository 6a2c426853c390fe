"""The monitoring itself: rates, lag, ledger, dead letters, journal, detectors, outbox, and how fast people are told."""

from boards.board import Board, Row
from boards.domains import navigation
from boards.figures import INSTANCE, drawn, figure, gauge, rate, reckoned, share, standing_open
from boards.influx import Select, back, of
from boards.marks import JSON, words
from boards.panels import Target, stat, table
from boards.telling import telling
from boards.words import COLOURS, Language


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
            Row(say("镜像", "The mirror"), mirror(say)),
            Row(say("指标来源", "Where the figures come from"), [scraped(say)]),
        ],
        links=navigation(say, "pipeline"),
        since="now-3h",
        refresh="10s",
        tags=["lifeline", "pipeline"],
    )


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
            say("巡检读数年龄", "Age of the canary"),
            "lifeline_canary_age_seconds",
            "s",
            [(180.0, "RED")],
            about=say(
                "每分钟一条假读数，从 Broker 走到推送；0 表示未启用。",
                "A made-up reading a minute, from the broker to its push; 0: none is sent.",
            ),
        ),
        figure(
            say,
            say("日志占用", "Journal"),
            "lifeline_receive_journal_bytes",
            "decbytes",
            [(3e9, "YELLOW"), (3.8e9, "RED")],
            about=say("上限见 [journal] max_size，默认 4 GB。", "Its limit is [journal] max_size, 4 GB by default."),
        ),
        stat(say("未关闭预警", "Warnings not closed"), [Target(standing_open(), table=True)], say, column="/^value$/"),
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
        drawn(
            say,
            say("报文去向（条/秒，台账）", "Messages by their fate (by the second, ledger)"),
            rate("lifeline_watch_messages_total", ("fate",)),
            "suffix: /s",
            "$tag_fate",
            about=balance,
        ),
        share(say, say("日志提交耗时（均值）", "One commit of the journal (mean)"), "lifeline_receive_commit_seconds"),
        drawn(say, say("日志大小", "Size of the journal"), gauge("lifeline_receive_journal_bytes"), "decbytes"),
        drawn(
            say,
            say("日志无空间拒收批次", "Batches the journal had no room for"),
            rate("lifeline_receive_journal_refused_total"),
            "suffix: /s",
        ),
    ]


def mirror(say: Language) -> list[JSON]:
    """The way into InfluxDB, which these boards read: its own lag, and what it refused."""
    return [
        drawn(say, say("镜像滞后", "Lag of the mirror"), gauge("lifeline_mirror_lag_seconds"), "s", w=8),
        drawn(
            say,
            say("写入 InfluxDB（行/秒）", "Lines into InfluxDB (by the second)"),
            rate("lifeline_mirror_lines_total"),
            "suffix: /s",
        ),
        drawn(
            say,
            say("InfluxDB 拒收的行", "Lines that InfluxDB refused"),
            gauge("lifeline_mirror_dead_letters_total"),
            "none",
            about=say("见 `lifeline store dead`。", "The reasons: `lifeline store dead`."),
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
            rate("lifeline_watch_refused_total", ("reason",)),
            "suffix: /s",
            "$tag_reason",
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


def scraped(say: Language) -> JSON:
    """When each process was last asked for its figures."""
    metrics = {
        "receive": "lifeline_receive_journal_head",
        "watch": "lifeline_watch_offset",
        "desk": "lifeline_desk_outbox_waiting",
        "mirror": "lifeline_mirror_offset",
    }
    select = Select('last("value") AS "value"', of(*metrics.values()), (back("30d"),), ("process", INSTANCE))
    return table(
        say("各进程指标的最近时间", "When each process last gave its figures"), [Target(select, table=True)], say, w=24, h=6
    )
