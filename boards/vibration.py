"""How a bridge vibrates: spectra over time, the latest of them, its natural frequencies beside temperature."""

from collections.abc import Sequence
from typing import Any, Final

from boards.board import constant, values, variable
from boards.draw import DAY, Scope
from boards.influx import EVERY, GOOD, TIME, Select, back, chosen, equal, hourly, of, shown
from boards.marks import JSON, joined
from boards.panels import Target, axis, heatmap, numbers, scatter, series
from boards.words import Language

ONE: Final = ('"asset" =~ /^${bridge:regex}$/',)  # spectra of several bridges have no mean
SENSOR: Final = '"key" =~ /^${sensor:regex}$/'
MODE: Final = chosen("mode")
STRETCH: Final = "10m"  # of the mirror, [influx] spectra
LATEST: Final = "1h"  # back: what is older is not the latest, and is not shown as if it were
NATURAL: Final = "natural_frequency"


def choices(say: Language) -> list[JSON]:
    """Which bridge's spectra, of which of its sensors, which mode."""
    bridges = [equal("domain", "bridge"), chosen("district"), chosen("asset")]
    return [
        variable("bridge", say("频谱所示桥梁", "Bridge of the spectra"), values("asset", "spectrum", bridges), many=False),
        variable("sensor", say("加速度计", "Accelerometer"), values("key", "spectrum", ONE)),
        variable("mode", say("阶次", "Mode"), values("mode", NATURAL, ONE), many=False),
    ]


def hours(database: str) -> JSON:
    """The database of hourly means, for what looks back for months."""
    return constant("hours", f"{database}_1h")


def vibration(s: Scope) -> list[JSON]:
    """Of the bridge chosen."""
    return [
        spectra(s, (*ONE, SENSOR)),
        latest(s, (*ONE, SENSOR)),
        against(s),
        tracks(s, s.where),
        trend(s, s.where),
    ]


def spectra(s: Scope, where: Sequence[str], *, w: int = 24) -> JSON:
    """The mean of the sensors' densities, by frequency and time."""
    select = Select('10 * log10(mean("value"))', of("spectrum"), (TIME, '"value" > 0', *where), ("frequency",), EVERY)
    about = s.say(
        f"加速度功率谱密度（dB，基准 1 (m/s²)²/Hz），每 {STRETCH} 一列，1/8 倍频程。空白：采样有缺口，不给谱。",
        f"Power spectral density of acceleration in dB of 1 (m/s²)²/Hz, a column each {STRETCH}, bands of an eighth of an "
        "octave. Blank: samples were missing, so there is no spectrum.",
    )
    title = s.say("频谱随时间变化（Hz）", "Spectra over time (Hz)")
    return heatmap(
        title,
        [Target(select, "$tag_frequency")],
        about=about,
        w=w,
        interval=STRETCH,
        layout="unknown",
        unit="suffix: dB",
        least=-1e9,
    )


def latest(s: Scope, where: Sequence[str], *, w: int = 12) -> JSON:
    """The newest spectrum: the mean of the sensors, and the largest."""
    x, mean, most = s.say("频率（Hz）", "Frequency (Hz)"), s.say("平均", "Mean"), s.say("最大", "Largest")
    each = Select('last("value") AS "v"', of("spectrum"), (back(LATEST), *where), ("key", "frequency"))
    select = Select(f'mean("v") AS "{mean}", max("v") AS "{most}"', (each,), (), ("frequency",))
    made = scatter(
        s.say("最新频谱", "Latest spectrum"), [Target(select, table=True)], s.say, x, mean, more=(most,), w=w, h=9,
        style="points+lines",
        about=s.say(
            f"功率谱密度（(m/s²)²/Hz），各测点平均与最大；超过 {LATEST} 的不显示。",
            f"Power spectral density in (m/s²)²/Hz: the mean of the sensors, and the largest; nothing older than {LATEST}.",
        ),
    )  # fmt: skip
    made["transformations"] = numbers("frequency", x)
    made["fieldConfig"]["defaults"]["custom"]["scaleDistribution"] = {"type": "log", "log": 10}
    return made


def against(s: Scope, *, w: int = 12) -> JSON:
    """A natural frequency against temperature: on one curve it is the weather, off it the structure."""
    x, y = s.titled("temperature"), s.say("固有频率（Hz）", "Natural frequency (Hz)")
    warm = Select(f'{shown("""mean("mean")""", "temperature")} AS "{x}"', hourly("temperature"), (TIME, *ONE), (), "1h")
    mode = Select(f'mean("value") AS "{y}"', hourly(NATURAL), (TIME, *ONE, MODE), (), "1h")
    title = s.say("固有频率与温度", "Natural frequency against temperature")
    about = s.say("每点一小时，30 天；阶次在上方选择。", "A point for each hour of thirty days; the mode is chosen above.")
    targets = [Target(warm, table=True), Target(mode, table=True)]
    return scatter(title, targets, s.say, x, y, w=w, h=9, about=about, timeFrom="30d") | {"transformations": [joined("Time")]}


def tracks(s: Scope, where: Sequence[str], *, w: int = 12) -> JSON:
    """Natural frequencies with the temperatures of structure and air on an axis of their own."""
    found = Select('mean("value")', of(NATURAL), (TIME, *where), ("asset", "mode"), EVERY)
    warm = Select(shown('mean("value")', "temperature"), of("temperature"), (TIME, *where, GOOD), ("key",), EVERY)
    title = s.say("固有频率跟踪（Hz）与温度（°C）", "Tracks of natural frequencies (Hz), with temperature (°C)")
    return _both(s, title, found, warm, w=w, least=STRETCH, gap=DAY // 8)


def trend(s: Scope, where: Sequence[str], *, w: int = 12) -> JSON:
    """The same by the day of a year, of hourly means: they outlast the readings."""
    found = Select('mean("value")', hourly(NATURAL), (TIME, *where), ("asset", "mode"), "1d")
    warm = Select(shown('mean("mean")', "temperature"), hourly("temperature"), (TIME, *where), ("key",), "1d")
    title = s.say("固有频率与温度：日均，一年", "Natural frequencies with temperature: means of a day, a year")
    return _both(s, title, found, warm, w=w, least="1d", gap=3 * DAY, timeFrom="365d")


def _both(s: Scope, title: str, found: Select, warm: Select, **how: Any) -> JSON:
    named = s.say("第", "mode"), s.say("阶", "")
    targets = [Target(found, f"$tag_asset {named[0]} $tag_mode {named[1]}".rstrip()), Target(warm, "$tag_key °C")]
    about = s.say(
        "左轴：由加速度计识别（振型配对）；右轴虚线：结构与大气温度。某阶缺失：未激励、存疑或采样有缺口。",
        "Left: found in the accelerometers, paired by shape. Right, dashed: temperatures of structure and air. A mode that is "
        "missing was not excited, is in doubt, or samples were missing.",
    )
    return series(
        title, targets, s.say, unit="hertz", h=9, about=about, overrides=[axis("B", s.titled("temperature"), "celsius")], **how
    )
