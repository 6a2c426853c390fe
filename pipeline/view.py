"""What `lifeline demo` shows in the terminal: the map by street, open warnings, rates, the ledger."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lifeline.clock import iso
from lifeline.model import Level

COLOURS: Final = {
    "RED": "bold white on red", "ORANGE": "black on dark_orange", "YELLOW": "black on yellow",
    "BLUE": "white on blue", "NORMAL": "green", "UNKNOWN": "magenta",
}  # fmt: skip
ORDER: Final = ("RED", "ORANGE", "YELLOW", "BLUE", "NORMAL", "UNKNOWN")
CHINESE: Final = {"RED": "红", "ORANGE": "橙", "YELLOW": "黄", "BLUE": "蓝", "NORMAL": "正常", "UNKNOWN": "未知"}
MOST: Final = 14  # warnings shown
QUIET: Final = 10.0  # [s] between lines where there is no terminal


@dataclass
class Scene:
    """One look at everything."""

    t: float  # [s] monotonic
    sent: int  # messages published
    receive: dict[str, Any]
    watch: dict[str, Any]
    map: dict[str, Any]
    warnings: list[dict[str, Any]]
    pushed: int


def level(value: str | int) -> str:
    """A level by its name, however it came."""
    return value if isinstance(value, str) else Level(value).name


@dataclass
class Picture:
    """Turns scenes into something to look at; rates are between this scene and the last."""

    city: str
    folder: str
    last: Scene | None = field(default=None, repr=False)
    rates: dict[str, float] = field(default_factory=dict)

    def drawn(self, scene: Scene) -> Group:
        self._rate(scene)
        return Group(self._streets(scene), self._warnings(scene), self._flow(scene))

    def line(self, scene: Scene) -> str:
        """The same in one line."""
        self._rate(scene)
        worst = ", ".join(f"{level(w['level'])} {w['asset']} {w['hazard']}" for w in open_(scene)[:5])
        said = f"{self.rates.get('messages', 0):.0f} messages/s, {len(open_(scene))} open warnings, {scene.pushed} pushed"
        return f"{said}: {worst}" if worst else said

    def _rate(self, scene: Scene) -> None:
        if self.last is not None and (seconds := scene.t - self.last.t) > 0:
            for name, of in (("messages", ("receive", "head")), ("readings", ("watch", "readings"))):
                new, old = (getattr(s, of[0]).get(of[1]) for s in (scene, self.last))
                if new is not None and old is not None:
                    self.rates[name] = 0.7 * self.rates.get(name, (new - old) / seconds) + 0.3 * (new - old) / seconds
        self.last = scene

    def _streets(self, scene: Scene) -> Table:
        table = Table(
            "street 街道", *(f"{n} {CHINESE[n]}" for n in ORDER), title=f"{self.city}: assets by level 风险四色图", expand=True
        )
        for d in scene.map.get("districts", []):
            counts = [(n, d["levels"].get(n, 0)) for n in ORDER]
            table.add_row(d["district"], *(Text(str(c), style=COLOURS[n] if c else "dim") for n, c in counts))
        return table

    def _warnings(self, scene: Scene) -> Table:
        table = Table("level", "since (UTC)", "asset", "hazard", "pushed after", title="open warnings 当前预警", expand=True)
        found = open_(scene)
        for w in found[:MOST]:
            name = level(w["level"])
            pushed = f"{w['latency']:.2f} s" if w["latency"] is not None else "-"
            shown = name if name != Level.NORMAL.name else f"cleared, was {level(w['peak'])}"
            table.add_row(Text(shown, style=COLOURS[name]), iso(w["onset"])[11:19], w["asset"], w["hazard"], pushed)
        if len(found) > MOST:
            table.caption = f"and {len(found) - MOST} more"
        return table

    def _flow(self, scene: Scene) -> Panel:
        counts = scene.watch.get("counts") or {}
        head, done = scene.receive.get("head", 0), scene.watch.get("checkpoint", 0)
        ledger = " + ".join(f"{k} {counts.get(k, 0)}" for k in ("stored", "duplicate", "dead_lettered"))
        messages, readings = (self.rates.get(k, 0) for k in ("messages", "readings"))
        lag = scene.watch.get("lag_s", 0)
        lines = [
            f"{messages:.0f} messages/s   {readings:.0f} readings/s   lag {lag:.2f} s   {scene.pushed} pushed",
            f"acknowledged {head} = {ledger} + in_flight {head - done}",
            *(f"not ready: {why}" for s in (scene.receive, scene.watch) for why in s.get("not_ready", [])),
            f"data, logs and received notices: {self.folder}   Ctrl-C ends",
        ]
        return Panel("\n".join(lines), title="pipeline 数据链路")


def open_(scene: Scene) -> list[dict[str, Any]]:
    """Hazards that stand, the gravest first."""
    found = [w for w in scene.warnings if w["kind"] == "hazard"]
    return sorted(found, key=lambda w: (-Level[level(w["level"])], w["onset"]))


@contextlib.contextmanager
def shown(console: Console, picture: Picture) -> Iterator[Callable[[Scene], None]]:
    """A live screen on a terminal; elsewhere a line now and then."""
    if not console.is_terminal:
        due = [0.0]

        def say(scene: Scene) -> None:
            if scene.t >= due[0]:
                due[0] = scene.t + QUIET
                console.print(picture.line(scene), highlight=False, soft_wrap=True)

        yield say
        return
    with Live(console=console, refresh_per_second=4, screen=False) as live:
        yield lambda scene: live.update(picture.drawn(scene))
