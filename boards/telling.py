"""How fast a warning reaches people, and what does not."""

from typing import Final

from boards.figures import INSTANCE, drawn, gauge, rate, total
from boards.influx import EVERY, TIME, Select, equal, of
from boards.marks import JSON
from boards.panels import Target, heatmap
from boards.words import Language

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
            total("lifeline_desk_notifications_given_up_total", ("integration",)),
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
    each = Select('last("value") AS "v"', of("lifeline_desk_warnings"), (TIME,), ("domain", "level", "state"), EVERY)
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
        each = Select('non_negative_difference(max("value")) AS "n"', metric, (TIME, equal("le", le)), (INSTANCE,), EVERY)
        return Select(f'sum("n") AS "{name}"', (each,), (TIME,), (), EVERY)

    if not below:
        return grown(upper, "n")
    return Select('last("u") - last("b") AS "n"', (grown(below, "b"), grown(upper, "u")), (TIME,), (), EVERY)


def named(upper: str) -> str:
    """The upper end of a bucket, as Grafana reads numbers."""
    return "Inf" if upper == "+Inf" else f"{float(upper):g}"
