"""What the people of each domain look at first, row by row."""

from boards.board import Row, label
from boards.draw import DAY, Scope, lines, ranked, rms, states, usable, wave
from boards.influx import TIME, Select, hourly, of, shown
from boards.marks import JSON, override
from boards.panels import HOUR, Target, series, table
from boards.vibration import vibration
from lifeline.units import QUANTITIES


def gas(s: Scope) -> list[Row]:
    """Wells by %VOL, how fast they rise, line pressures, what goes in against what comes out."""
    say = s.say
    risen = Select(
        f'{shown("""(last("value") - first("value"))""", "methane")} AS "rise"',
        of("methane"),
        (TIME, *s.where, *usable("methane")),
        ("asset", "district"),
    )
    rise = table(
        say("两小时内甲烷上升最快的井", "Wells rising fastest in two hours"),
        [Target(risen, table=True)],
        say,
        sort="rise",
        w=8,
        about=s.told(
            "methane", say("最新读数减两小时前读数（%VOL）。", "The latest reading less that of two hours ago (%VOL).")
        ),
        overrides=[override("rise", unit="suffix: %VOL", decimals=2)],
        timeFrom="2h",
    )
    return [
        Row(
            say("井内甲烷", "Methane in wells"),
            [
                ranked(s, "methane", w=16, title=say("窨井甲烷排序（%VOL）", "Wells by methane (%VOL)")),
                rise,
                lines(s, "methane", by="district", more=say("各片区最高", "highest by district"), gap=4 * HOUR, w=12),
                lines(s, "methane", more=say("各井最高", "highest by well"), gap=4 * HOUR, w=12),
            ],
        ),
        Row(
            say("压力与流量", "Pressures and flows"),
            [
                lines(s, "gas_pressure", only="min", more=say("最低", "lowest")),
                lines(s, "gas_pressure", only="max", more=say("最高", "highest")),
                lines(s, "gas_flow", by="key", more=say("进与出", "in and out"), w=24),
            ],
        ),
        Row(
            say("井内环境与露天", "In the wells, and the open air"),
            [
                lines(s, "temperature", by="district", gap=4 * HOUR, w=8),
                lines(s, "humidity", by="district", gap=4 * HOUR, w=8),
                lines(s, "methane_air", by="district", only="max", w=8),
                states(s, ("immersion",), say("传感器浸水", "Sensors under water"), w=12),
                states(s, ("valve",), say("阀门", "Valves"), w=12),
            ],
            closed=True,
        ),
    ]


def water(s: Scope) -> list[Row]:
    """Pressures and what they depart from, night flow, quality, surges."""
    say = s.say
    return [
        Row(
            say("压力", "Pressure"),
            [
                ranked(s, "water_pressure", worst="min", w=10, title=say("最低压力排序（mH2O）", "Lowest pressures (mH2O)")),
                lines(s, "water_pressure", w=14, h=9),
                residual(s),
                lines(s, "water_pressure", by="district", only="min", more=say("各片区最低", "lowest by district")),
            ],
        ),
        Row(say("流量与夜间最小流量", "Flow, and flow by night"), [lines(s, "water_flow"), night(s)]),
        Row(
            say("水质", "Quality"),
            [
                lines(s, "chlorine", w=8),
                lines(s, "turbidity", w=8),
                lines(s, "ph", w=8),
                lines(s, "conductivity", w=8),
                lines(s, "temperature", w=8),
                lines(s, "water_level", w=8),
            ],
        ),
        Row(
            say("水锤与设备", "Surges and plant"),
            [
                wave(s, "water_transient"),
                lines(s, "rain", by="district", only="max"),
                states(s, ("pump",), say("水泵", "Pumps"), w=12),
                states(s, ("valve",), say("阀门", "Valves"), w=12),
            ],
        ),
    ]


def residual(s: Scope) -> JSON:
    """Pressure less the mean of its own last day: what a leak moves at some nodes and not at others."""
    wanted = (TIME, *s.where, *usable("water_pressure"))
    now = Select('mean("value") AS "now"', of("water_pressure"), wanted, ("asset",), "15m")
    usual = Select('moving_average(mean("value"), 96) AS "usual"', of("water_pressure"), wanted, ("asset",), "15m")
    what = shown('(last("now") - last("usual"))', "water_pressure")
    select = Select(what, (now, usual), (TIME,), ("asset",), "15m")
    about = s.say(
        "15 分钟均值减前 24 小时（96 个）均值。所示时间不足一天时无数据。",
        "The mean of 15 minutes less that of the 96 before: a day. Nothing is drawn while less than a day is shown.",
    )
    title = s.titled("water_pressure", s.say("与自身一日均值之差", "off the mean of its own day"))
    return series(title, [Target(select, "$tag_asset")], s.say, unit="suffix: mH2O", about=about, timeFrom="48h", gap=4 * HOUR)


def night(s: Scope) -> JSON:
    """The least flow of each day: whoever sleeps does not draw it, so most of it is lost."""
    slots = Select('mean("mean") AS "slot"', hourly("water_flow"), (TIME, *s.where), ("asset",), "1h")
    select = Select(shown('min("slot")', "water_flow"), (slots,), (TIME,), ("asset",), "1d", tail="tz('${tz:raw}')")
    about = s.told(
        "water_flow", s.say("每日各小时均值中的最小值，一季。", "The least of a day's hourly means, of a quarter of a year.")
    )
    title = s.titled("water_flow", s.say("每日最小（夜间）", "least of each day (by night)"))
    return series(
        title,
        [Target(select, "$tag_asset")],
        s.say,
        unit=f"suffix: {QUANTITIES['water_flow'].shown}",
        about=about,
        style="bars",
        timeFrom="90d",
        gap=3 * DAY,
        least="1d",
    )


def bridge(s: Scope) -> list[Row]:
    """Modes with temperature, vibration, loads, what stays when the traffic is gone."""
    say = s.say
    return [
        Row(
            say("模态与温度", "Modes and temperature"),
            [
                lines(s, "frequency", by="key", w=16, gap=DAY, more=say("各阶跟踪", "tracks")),
                lines(s, "temperature", w=8, gap=DAY),
                rms(s, "acceleration", by="key"),
                wave(s, "acceleration", by="key"),
            ],
        ),
        Row(say("频谱与固有频率", "Spectra and natural frequencies"), vibration(s)),
        Row(
            say("荷载", "Loads"),
            [
                lines(s, "vehicle_mass", style="points", gap=DAY),
                lines(s, "axle_mass", style="points", only="max", gap=DAY),
                lines(s, "strain", by="key", only="max", more=say("最大", "largest")),
                lines(s, "bearing_force", by="key", only="min", more=say("最小（脱空）", "smallest (unloading)")),
            ],
        ),
        Row(
            say("变形", "Deformation"),
            [
                lines(s, "deflection", by="key", w=8),
                lines(s, "displacement", by="key", w=8),
                lines(s, "joint", by="key", w=8),
                lines(s, "tilt", by="key", w=8),
                lines(s, "crack", by="key", w=8, gap=DAY),
                lines(s, "cable_force", by="key", w=8, gap=DAY),
            ],
        ),
        Row(
            say("风与撞击", "Wind and impacts"),
            [lines(s, "wind_speed"), wave(s, "pier_acceleration", by="key")],
        ),
    ]


def lift(s: Scope) -> list[Row]:
    """People shut in, trips, the door's cycles, how it stops."""
    say = s.say
    stops = Select('count("rank")', of("warning"), (TIME, *s.where, '"state" =~ /^(open|urgent)$/'), ("hazard",), "1d", "0")
    return [
        Row(
            say("困人与运行", "Entrapments and trips"),
            [
                series(
                    say("每日预警（按险情）", "Warnings by day and hazard"),
                    [Target(stops, "$tag_hazard")],
                    say,
                    unit="none",
                    style="bars",
                    timeFrom="30d",
                    least="1d",
                    w=8,
                    gap=3 * DAY,
                    about=say("困人为 entrapment。", "People shut in: entrapment."),
                ),
                often(s, "motion", say("每小时运行次数", "Trips an hour")),
                often(s, "door", say("每小时开门次数", "Door cycles an hour")),
                states(
                    s, ("motion", "door", "alarm_button"), say("运行、轿门与报警按钮", "Motion, door and alarm button"), h=10
                ),
            ],
        ),
        Row(
            say("平层与乘坐", "Stopping and ride"),
            [
                lines(s, "levelling", both=True, w=8, gap=DAY),
                lines(s, "vibration", w=8, gap=DAY),
                lines(s, "jerk", w=8, gap=DAY),
                ranked(s, "levelling", w=12, title=say("平层误差排序（mm）", "Lifts by levelling offset (mm)")),
                ranked(s, "reopenings", w=12, title=say("重复开门排序", "Lifts by re-openings of the door")),
            ],
        ),
        Row(
            say("门、制动与曳引", "Door, brake and ropes"),
            [
                lines(s, "door_time", w=8, gap=DAY),
                lines(s, "reopenings", w=8, gap=DAY),
                lines(s, "brake_distance", w=8, gap=DAY),
                lines(s, "rope_slip", w=8, gap=DAY),
                lines(s, "motor_current", w=8, gap=DAY),
                lines(s, "speed", only="max", w=8, gap=DAY),
            ],
        ),
        Row(
            say("供电与回路", "Power and circuits"),
            [
                states(s, ("power",), say("供电", "Power"), w=8),
                states(s, ("safety_circuit",), say("安全回路", "Safety circuit"), w=8),
                states(s, ("limit_switch",), say("极限开关", "Limit switches"), w=8),
            ],
            closed=True,
        ),
    ]


def often(s: Scope, quantity: str, title: str) -> JSON:
    """How often a state went from 0 to 1, by the hour."""
    rises = Select('non_negative_difference("value") AS "rise"', of(quantity), (TIME, *s.where), ("asset", "key"))
    select = Select('sum("rise")', (rises,), (TIME,), ("asset",), "1h", "0")
    return series(
        title,
        [Target(select, "$tag_asset")],
        s.say,
        unit="none",
        style="bars",
        w=8,
        least="1h",
        links=[s.asset(label("asset"))],
    )
