"""The command `lifeline`. Everything heavy is imported inside the commands: `lifeline --help` answers at once."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli_roster import roster_app
from pipeline.commands import alerts, boards, dangers, keep, notify, payload, report, store, users

if TYPE_CHECKING:
    import threading
    from typing import Any

    from lifeline.config import Config

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help would cost half a second
)
catalog_app = typer.Typer(help="The catalog of series.", no_args_is_help=True, rich_markup_mode=None)
journal_app = typer.Typer(
    help="The journal of raw messages, and its dead letters.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(catalog_app, name="catalog")
scenario_app = typer.Typer(
    help="Scenarios: worlds in which it is known what happens.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(journal_app, name="journal")
app.add_typer(scenario_app, name="scenario")

rules_app = typer.Typer(help="The rules.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(rules_app, name="rules")
app.add_typer(roster_app, name="roster")

app.add_typer(notify.notify, name="notify")
app.add_typer(payload.payload, name="payload")
app.add_typer(users.users, name="users")
app.add_typer(users.audit, name="audit")
app.add_typer(alerts.route, name="route")
app.add_typer(alerts.alerts, name="alerts")
app.add_typer(dangers.dangers, name="dangers")
app.add_typer(report.report, name="report")
app.add_typer(boards.boards, name="boards")
app.add_typer(store.store, name="store")
keep.add(app)

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="Configuration file (TOML).")]
DEFAULT = Path("lifeline.toml")


class Shift(StrEnum):
    """How published readings are dated."""

    now = "now"
    none = "none"


class Kept(StrEnum):
    """Where received readings are taken from."""

    auto = "auto"
    journal = "journal"
    lake = "lake"


@app.callback()
def common(
    with_parent: Annotated[bool, typer.Option(hidden=True)] = False,  # noqa: FBT002  a flag
) -> None:
    """City lifeline monitoring: from an MQTT message to a graded warning. 城市生命线监测预警"""
    if with_parent:
        follow_parent()


def follow_parent() -> None:
    """End as if by SIGTERM when whoever started this process is gone, however it went: its end of our standard input closes."""
    import os
    import signal
    import threading

    def follow() -> None:
        while os.read(0, 1):  # not sys.stdin: a lock held there at the end aborts the interpreter
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="parent", daemon=True).start()


def configured(path: Path) -> "Config":
    """The configuration; a refusal names every problem."""
    import os

    from lifeline.config import load

    return load(path, os.environ)


def stopping() -> "threading.Event":
    """An event that SIGINT and SIGTERM set."""
    import signal
    import threading

    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    return stop


@app.command()
def up(config: ConfigPath = DEFAULT) -> None:
    """Run the whole pipeline on this machine, for good: receive, watch, desk, and mirror where [influx] is set."""
    import logging
    from contextlib import nullcontext

    from pipeline import logs, supervise

    settings = configured(config)
    logs.start("up", settings)
    if settings.desk.console:
        where = f"http://{settings.desk.host}:{settings.desk.port}/console/"
        logging.getLogger("lifeline.up").info("starting; who may sign in: lifeline users add", extra={"console": where})
    broker = supervise.embedded(settings.broker, settings.city.data) if settings.broker.embedded else nullcontext()
    with broker:
        supervise.run(config, stopping(), mirrored=bool(settings.influx.url))


@app.command()
def receive(config: ConfigPath = DEFAULT) -> None:
    """Run only receive: take messages from the broker, journal them, acknowledge them."""
    from pipeline import logs
    from pipeline.receive import run

    settings = configured(config)
    logs.start("receive", settings)
    run(settings, stopping(), config)


@app.command()
def watch(config: ConfigPath = DEFAULT) -> None:
    """Run only watch: judge what the journal holds, store it, tell the desk what changed."""
    from pipeline import logs
    from pipeline.watch import run

    settings = configured(config)
    logs.start("watch", settings)
    run(settings, stopping(), config)


@app.command()
def desk(config: ConfigPath = DEFAULT) -> None:
    """Run only desk: make warnings of changes, and push them to people."""
    from pipeline import logs
    from pipeline.desk import run

    settings = configured(config)
    logs.start("desk", settings)
    run(settings, config)


@app.command()
def mirror(config: ConfigPath = DEFAULT) -> None:
    """Run only mirror: write what is stored, and what the desk knows, to an InfluxDB for boards. docs/influx.md"""
    from lifeline.words import Unusable
    from pipeline import logs
    from pipeline.mirror.process import run

    settings = configured(config)
    logs.start("mirror", settings)
    if not settings.influx.url:
        raise Unusable(f"{config}: [influx] url is not set (nor INFLUX_URL in the environment): there is nothing to mirror to")
    run(settings, stopping())


@app.command()
def demo(
    seconds: Annotated[float, typer.Option(help="End after so many seconds; 0: run until Ctrl-C.")] = 0.0,
    report: Annotated[Path | None, typer.Option(help="Write what happened as JSON.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its data; emptied at every start.")] = Path("var/demo"),
    seed: Annotated[int, typer.Option(help="Of the simulated city.")] = 1,
) -> None:
    """A simulated city on an embedded broker: faults happen in it, the warnings are pushed to a receiver of its own."""
    from pipeline.demo import run

    raise typer.Exit(run(folder, seconds, report, seed))


@app.command("check-config")
def check_config(config: ConfigPath = DEFAULT) -> None:
    """Read the configuration and say what is wrong with it; starts nothing."""
    from pipeline.check import summary

    typer.echo(summary(configured(config)))


@catalog_app.command("check")
def catalog_check(path: Annotated[Path, typer.Argument(help="The catalog (CSV).")]) -> None:
    """Read a catalog and say everything that is wrong with it, by line."""
    from collections import Counter

    from lifeline.catalog import load

    catalog = load(path)
    typer.echo(f"{path}: {catalog.n} series of {len(set(catalog.asset))} assets, nothing wrong")
    for (domain, quantity), n in sorted(Counter(zip(catalog.domain, catalog.quantity, strict=True)).items()):
        typer.echo(f"  {domain:9} {quantity:16} {n}")


@app.command()
def query(
    key: Annotated[str, typer.Argument(help="The series, as in the catalog.")],
    start: Annotated[str, typer.Option("--from", help="RFC 3339 time with offset, or e.g. -1h.")] = "-1h",
    end: Annotated[str, typer.Option("--to", help="RFC 3339 time with offset, or now.")] = "now",
    every: Annotated[str, typer.Option(help="Mean, min, max and count per slot, e.g. 5m.")] = "",
    csv: Annotated[bool, typer.Option("--csv", help="Comma-separated, for other programs.")] = False,  # noqa: FBT002  a flag
    config: ConfigPath = DEFAULT,
) -> None:
    """Print what the lake holds of one series, in the unit people read."""
    from pipeline.ask import show

    raise typer.Exit(show(configured(config), key, start, end, every, csv=csv))


class Lang(StrEnum):
    """In which language something is said."""

    zh = "zh"
    en = "en"
    both = "both"


@app.command()
def explain(
    warning: Annotated[str, typer.Argument(help="Id of a warning, the beginning of one, or its case as ASSET/HAZARD.")],
    lang: Annotated[Lang, typer.Option(help="zh, en or both.")] = Lang.both,
    png: Annotated[Path | None, typer.Option(help="Also draw it: readings, limits, scores, levels.")] = None,
    before: Annotated[str, typer.Option(help="Begin so much earlier, e.g. 12h; left out: as long as the rules learn.")] = "",
    source: Annotated[Kept, typer.Option(help="auto: the journal where it still reaches back so far.")] = Kept.auto,
    rules: Annotated[Path | None, typer.Option(help="Folder of other rules; left out: those of the configuration.")] = None,
    config: ConfigPath = DEFAULT,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Why a warning was given: its readings, limits and scores, told again by the same engine. docs/explain.md."""
    from pipeline.explain import run

    said = run(
        configured(config), warning, rules=rules, before=before, source=source.value, lang=lang.value, png=png, as_json=json
    )
    typer.echo(said)


@app.command()
def backtest(
    data: Annotated[Path, typer.Argument(help="Parquet or CSV, wide or long.")],
    catalog: Annotated[Path, typer.Option(help="CSV with at least the columns key, quantity, unit.")],
    out: Annotated[Path, typer.Option(help="Folder for changes.parquet, warnings.parquet, tickets.parquet, catalog.csv.")],
    rules: Annotated[Path | None, typer.Option(help="Folder of rules; left out: those that come with the program.")] = None,
    train_until: Annotated[str, typer.Option(help="Readings before this time only teach the detectors.")] = "",
    maps: Annotated[
        list[str] | None, typer.Option(help="Pipes or network of an asset, a district or a domain: NAME=FILE; may be repeated.")
    ] = None,
    scores: Annotated[bool, typer.Option("--scores", help="Also every score: scores.parquet.")] = False,  # noqa: FBT002  a flag
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Judge measurements of any plant by the rules, as if they had come live: docs/backtest.md."""
    from pipeline.backtest import run

    run(data, catalog, rules, train_until, out, scores=scores, as_json=json, maps=maps or [])


@app.command()
def calibrate(
    history: Annotated[Path, typer.Option(help="Quiet time: Parquet or CSV as for backtest, or a recording.")],
    city: Annotated[Path, typer.Option(help="Catalog of the city that the rate is meant for.")],
    false_alarms: Annotated[str, typer.Option(help="False hazards of the whole city: 1/day, 2/week …")] = "1/day",
    history_catalog: Annotated[Path | None, typer.Option(help="Catalog of the history; left out: the city's.")] = None,
    rules: Annotated[Path | None, typer.Option(help="Folder of rules; left out: those that come with the program.")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the rules with their new bounds.")] = None,
    also: Annotated[list[str] | None, typer.Option(help="A passive rule to be calibrated too; may be repeated.")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Set the bounds of statistical rules so that a city has at most so many false hazards: docs/calibration.md."""
    from pipeline.calibrate import run

    run(false_alarms, city, history, history_catalog, rules, out, also or [], as_json=json)


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(help="Name or file.")],
    seed: Annotated[int | None, typer.Option(help="Instead of the file's.")] = None,
    speed: Annotated[float | None, typer.Option(help="Times real time when published; left out: 1.", min=1e-3)] = None,
    asap: Annotated[bool, typer.Option("--asap", help="Publish as fast as the broker takes it.")] = False,  # noqa: FBT002  a flag
    publish: Annotated[str, typer.Option(help="To a broker: mqtt://[USER:PASSWORD@]HOST[:PORT], mqtts:// for TLS.")] = "",
    record: Annotated[Path | None, typer.Option(help="Into a recording (Parquet).")] = None,
    catalog: Annotated[Path | None, typer.Option(help="Also write the catalog of its series here (CSV).")] = None,
    city: Annotated[str, typer.Option(help="Name of the city in the topics.")] = "chengjiang",
    shift: Annotated[
        Shift, typer.Option(help="now: published readings are dated as if it happened now; none: as it says.")
    ] = Shift.now,
    ca: Annotated[Path | None, typer.Option(help="For mqtts://: whom to trust, instead of the system's authorities.")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Play a scenario: into a recording as fast as it can be reckoned, or live to a broker. docs/recordings.md."""
    from pipeline.simulate import run

    said = run(
        scenario, seed=seed, speed=paced(speed, asap=asap), publish=publish, record=record, catalog=catalog, city=city,
        shift=shift is Shift.now, ca=ca,
    )  # fmt: skip
    account(said, as_json=json)


@app.command("record")
def record_command(
    path: Annotated[Path, typer.Argument(help="The recording to be written (Parquet).")],
    start: Annotated[str, typer.Option("--from", help="RFC 3339 time with offset, or e.g. -12h.")],
    end: Annotated[str, typer.Option("--to", help="RFC 3339 time with offset, or now.")] = "now",
    only: Annotated[list[str] | None, typer.Option(help="Pattern of keys, assets or domains; may be repeated.")] = None,
    source: Annotated[Kept, typer.Option(help="auto: the journal where it still reaches back so far.")] = Kept.auto,
    config: ConfigPath = DEFAULT,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Cut a recording out of what the system has received; it may be running. docs/recordings.md."""
    from lifeline.clock import since
    from lifeline.words import Unusable
    from pipeline.record import run

    try:
        begin, until = since(start), since(end)
    except ValueError as why:
        raise Unusable(str(why)) from why
    account(run(configured(config), begin, until, path, only or [], source.value), as_json=json)


@app.command()
def replay(
    recording: Annotated[Path, typer.Argument(help="What `lifeline simulate --record` or `lifeline record` wrote.")],
    speed: Annotated[
        float | None, typer.Option(help="Times its own pace; left out: as fast as it goes, 1 when published.", min=1e-3)
    ] = None,
    asap: Annotated[bool, typer.Option("--asap", help="As fast as it goes, also when published.")] = False,  # noqa: FBT002  a flag
    publish: Annotated[
        str, typer.Option(help="To a broker instead: mqtt://[USER:PASSWORD@]HOST[:PORT], mqtts:// for TLS.")
    ] = "",
    rules: Annotated[Path | None, typer.Option(help="Folder of rules; left out: those that come with the program.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for changes.parquet, warnings.parquet, tickets.parquet.")] = None,
    shift: Annotated[
        Shift, typer.Option(help="now: published readings are dated as if it happened now; none: as it says.")
    ] = Shift.now,
    city: Annotated[str, typer.Option(help="Name of the city in the topics; left out: the recording's.")] = "",
    ca: Annotated[Path | None, typer.Option(help="For mqtts://: whom to trust, instead of the system's authorities.")] = None,
    catalog: Annotated[Path | None, typer.Option(help="Also write the catalog of its series here (CSV).")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Play a recording through the engine that runs live, saying what is warned of; or to a broker. docs/recordings.md."""
    from rich.console import Console

    from pipeline.playback import run

    said = run(
        recording, speed=paced(speed, asap=asap), publish=publish, rules=rules, out=out, shift=shift is Shift.now, city=city,
        ca=ca, catalog=catalog, console=None if json else Console(),
    )  # fmt: skip
    account(said, as_json=json)


def paced(speed: float | None, *, asap: bool) -> float | None:
    """Times real time; None: nobody said."""
    if asap and speed:
        raise typer.BadParameter("--asap and --speed exclude one another")
    return float("inf") if asap else speed


def account(said: "dict[str, Any]", *, as_json: bool) -> None:
    """What a command did: as JSON, or a line for each fact."""
    import json

    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False))
        return
    for name, value in said.items():
        if isinstance(value, bool):
            shown = "yes" if value else "no"
        elif isinstance(value, list):
            shown = str(len(value))
        elif isinstance(value, dict):
            shown = ", ".join(f"{k.replace('_', ' ')} {n:,}" for k, n in value.items()) or "none"
        else:
            shown = f"{value:,}" if isinstance(value, int) else str(value)
        typer.echo(f"{name:16} {shown}")


@app.command()
def evaluate(
    scenarios: Annotated[list[str] | None, typer.Argument(help="Names or files of scenarios.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All 64 of the four domains; cities only by name.")] = False,  # noqa: FBT002
    public: Annotated[Path | None, typer.Option(help="Also score the public data in this folder.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,  # noqa: FBT002  a flag
    html: Annotated[Path | None, typer.Option(help="Write a page that stands alone, with plots.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write the tables into a document, between its marks.")] = None,
    against: Annotated[Path | None, typer.Option(help="An earlier report in JSON to compare with.")] = None,
    what_if: Annotated[list[str] | None, typer.Option(help="A changed limit: RULE.LEVEL=VALUE; may be repeated.")] = None,
    rules: Annotated[Path | None, typer.Option(help="Folder of rules; left out: those that come with the program.")] = None,
    seed: Annotated[int | None, typer.Option(help="Instead of the seeds of the files.", min=0, max=2**31)] = None,
    jobs: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 when any scenario fails.")] = False,  # noqa: FBT002
    keep: Annotated[Path | None, typer.Option(help="Keep what was reached in this folder; the same command goes on.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Go on from --keep though program or rules have changed.")] = False,  # noqa: FBT002
) -> None:
    """Score the warnings against what is true in scenarios: detection, delay, level, false warnings. docs/evaluation.md."""
    import sys

    from pipeline.evaluate import run, spelt

    said, code = run(
        scenarios or [], everything=everything, public=public, html=html, markdown=markdown, against=against,
        what_if=what_if or [], rules=rules, seed=seed, jobs=jobs, as_json=json, strict=strict, keep=keep, force=force,
        command=spelt(["lifeline", *sys.argv[1:]]),
    )  # fmt: skip
    typer.echo(said)
    raise typer.Exit(code)


@app.command()
def seal(config: ConfigPath = DEFAULT) -> None:
    """Say that the journal begins anew, after it was lost; stop watch first. Readings, levels and dead letters are kept."""
    from pipeline.letters import seal as sealed

    typer.echo(sealed(configured(config)))


@app.command()
def doctor(config: ConfigPath = DEFAULT) -> None:
    """Say what is missing or misconfigured, and how to mend it."""
    from pipeline.check import examine

    raise typer.Exit(examine(config))


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(help="Its name, or all; a name that is none lists them."),
    ],
    json: Annotated[bool, typer.Option("--json", help="Only the figures, as JSON.")] = False,  # noqa: FBT002  a flag
    markdown: Annotated[Path | None, typer.Option(help="Write its table into a document, between its marks.")] = None,
) -> None:
    """Measure a part of the pipeline on this machine."""
    from pipeline.bench import run

    raise typer.Exit(run(name, only_json=json, document=markdown))


@journal_app.command("stat")
def journal_stat(config: ConfigPath = DEFAULT, json: Annotated[bool, typer.Option("--json")] = False) -> None:  # noqa: FBT002
    """How much the journal holds, how far each consumer is, and whether the books balance."""
    from pipeline.letters import stat

    typer.echo(stat(configured(config).city.data, as_json=json))


@journal_app.command("dead")
def journal_dead(
    config: ConfigPath = DEFAULT,
    reason: Annotated[str, typer.Option(help="Only those whose reason contains this.")] = "",
    most: Annotated[int, typer.Option(help="How many to show.")] = 20,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Messages that could not be used: why, where in them, and what they said."""
    from pipeline.letters import dead

    typer.echo(dead(configured(config).city.data, reason, most, as_json=json))


@journal_app.command("retry")
def journal_retry(
    config: ConfigPath = DEFAULT, reason: Annotated[str, typer.Option(help="Only those whose reason contains this.")] = ""
) -> None:
    """Send dead letters through the pipeline again, after the catalog or the device has been mended."""
    from pipeline.letters import retry

    typer.echo(f"{retry(configured(config).city.data, reason)} messages are in the journal again")


@journal_app.command("purge")
def journal_purge(
    config: ConfigPath = DEFAULT,
    dead_before: Annotated[str, typer.Option(help="Also forget dead letters received before, e.g. -30d.")] = "",
) -> None:
    """Delete what every consumer has used and the retention has passed; unused messages are never deleted."""
    from pipeline.letters import purge

    typer.echo(purge(configured(config), dead_before))


@rules_app.command("report")
def rules_report(
    start: Annotated[str, typer.Option("--from", help="RFC 3339 time with offset, or e.g. -30d.")] = "-30d",
    end: Annotated[str, typer.Option("--to", help="RFC 3339 time with offset, or now.")] = "now",
    rule: Annotated[list[str] | None, typer.Option(help="Pattern of rules; may be repeated.")] = None,
    within: Annotated[str, typer.Option(help="After its end, in which another rule still confirms an episode.")] = "1h",
    config: ConfigPath = DEFAULT,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """What passive rules would have raised, by rule and day, beside the active ones: docs/desk.md."""
    from lifeline.clock import since
    from lifeline.kinds import duration
    from lifeline.words import Unusable
    from pipeline.beside import run

    try:
        begin, until, slack = since(start), since(end), duration(within)
    except ValueError as why:
        raise Unusable(str(why)) from why
    typer.echo(run(configured(config), begin, until, rule or [], slack, as_json=json))


@scenario_app.command("list")
def scenario_list(
    folder: Annotated[Path | None, typer.Option(help="Look here instead of among those that come with the program.")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Every scenario, a line each."""
    from pipeline.scenarios import listed

    typer.echo(listed(folder, as_json=json))


@scenario_app.command("check")
def scenario_check(
    scenarios: Annotated[list[str] | None, typer.Argument(help="Names or files; none: all that come with the program.")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """Read scenario files and say everything that is wrong with them: file, line, what is allowed."""
    from pipeline.scenarios import checked

    said, code = checked(scenarios or [], as_json=json)
    typer.echo(said)
    raise typer.Exit(code)


@scenario_app.command("keys")
def scenario_keys(
    word: Annotated[str, typer.Argument(help="Only tables whose head holds this, such as gas, fault, transport.")] = "",
) -> None:
    """What may be written in a scenario file: every table, its keys, what they allow, their defaults."""
    from pipeline.scenarios import kinds

    typer.echo(kinds(word))


@scenario_app.command("describe")
def scenario_describe(
    scenario: Annotated[str, typer.Argument(help="Name or file.")],
    catalog: Annotated[Path | None, typer.Option(help="Write the catalog of its series here (CSV).")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,  # noqa: FBT002  a flag
) -> None:
    """What a scenario holds: its series, what happens, what must and must not be said of it."""
    from pipeline.scenarios import described

    typer.echo(described(scenario, catalog, as_json=json))


def main() -> None:
    """Run a command. A refusal (configuration, catalog, rules) is said in its own words, not as a traceback; exit code 2.

    What fails for other foreseen reasons (a broker that is away, a full disk) likewise; exit code 1.
    """
    from lifeline.words import Failed, Unusable

    try:
        app()
    except (Failed, Unusable) as why:
        typer.echo(str(why), err=True)
        raise SystemExit(1 if isinstance(why, Failed) else 2) from None


if __name__ == "__main__":
    main()
