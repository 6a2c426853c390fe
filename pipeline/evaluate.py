"""`lifeline evaluate`: scenarios through the live engine, their warnings against the truth, as JSON, a page and tables."""

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import detectors
from lifeline.clock import iso, now
from lifeline.words import Unusable
from pipeline import digest, report
from pipeline.deaf import deaf
from pipeline.outcome import Result, broken
from pipeline.pieces import keeping, kept
from pipeline.tally import summary
from pipeline.trial import Job, tried
from pipeline.versus import compared, cost, earlier, published
from pipeline.whatif import limits, revised
from simulators.scenario import FOLDER, files, find, load

DOMAINS: Final = ("gas", "water", "bridge", "elevator")
Progressed = Callable[[Result], None]


def run(
    names: Sequence[str],
    *,
    everything: bool = False,
    public: Path | None = None,
    html: Path | None = None,
    markdown: Path | None = None,
    against: Path | None = None,
    what_if: Sequence[str] = (),
    rules: Path | None = None,
    seed: int | None = None,
    jobs: int = 2,
    as_json: bool = False,
    strict: bool = False,
    keep: Path | None = None,
    force: bool = False,
    command: str = "lifeline evaluate",
) -> tuple[str, int]:
    """What to print, exit code. Everything that can be refused is, before anything runs."""
    placed(html, markdown, scenarios=everything or bool(names), public=public is not None)
    old = earlier(against) if against else None
    changed = limits(what_if, rules)
    revised(rules, changed)
    todo = [Job(path, rules, seed, tuple(changed), html is not None) for path in chosen(names, everything=everything)]
    if not todo and public is None:
        raise Unusable("name scenarios (lifeline scenario list has them), or --all, or --public FOLDER")
    if keep is not None and (html is not None or changed):
        raise Unusable("--keep: plots and what-ifs need a scenario whole; leave out --html and --what-if, or --keep")
    played = player(todo, jobs, keep, force=force)
    began = perf_counter()
    results = played()
    whole: dict[str, Any] = {
        "made": iso(now()), "command": command, "rules": str(rules or "rules as shipped"), "jobs": jobs,
        "scenarios": [{k: v for k, v in r.items() if k not in {"plot", "what_if"}} for r in results],
        "summary": summary(results),
    }  # fmt: skip
    if old is not None and against is not None:
        whole["against"] = {"file": str(against), **compared(old if todo else {}, results)}
    if changed:
        whole["what_if"] = cost(results, what_if)
    drawings: dict[str, str] = {}
    if public is not None:
        whole["public"], drawings = beside(public, rules, plots=html is not None)
        if against is not None:
            told = published(against, whole["public"])
            whole["against"] |= {side: whole["against"][side] + some for side, some in told.items()}
    whole["seconds"] = round(perf_counter() - began, 1)
    if html is not None:
        html.write_text(report.page(whole, results, drawings), "utf-8")
    if markdown is not None:
        digest.written(markdown, whole)
    said = json.dumps(whole, ensure_ascii=False) if as_json else digest.terminal(whole)
    lacking = any("missing" in told for told in whole.get("public", {}).values())
    return said, int(strict and (lacking or not all(r["passed"] for r in results)))


def player(todo: Sequence[Job], jobs: int, keep: Path | None, *, force: bool) -> Callable[[], list[Result]]:
    """What plays the scenarios, whole or in pieces kept under a folder; a kept state that cannot go on is refused here."""
    if keep is None:
        return lambda: watched(todo, jobs) if todo else []
    places = [(job._replace(apart=jobs > 1), keeping(job, keep, force=force)) for job in todo]
    return lambda: [kept(*one) for one in places]


def placed(html: Path | None, markdown: Path | None, *, scenarios: bool, public: bool) -> None:
    """Refuse a page or a document that could not be written in the end."""
    for file in filter(None, (html, markdown)):
        writable(file)
    if markdown is not None:
        digest.placed(markdown, scenarios=scenarios, public=public)


def writable(file: Path) -> None:
    """Refuse what could not be written in the end. Nothing is left behind."""
    there = file.exists()
    try:
        with file.open("a", encoding="utf-8"):
            pass
        if not there:
            file.unlink()
    except OSError as why:
        raise Unusable(f"{file}: cannot be written: {why.strerror}") from why


def beside(folder: Path, rules: Path | None, *, plots: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """The report of the public data in a folder, and its drawings (SVG)."""
    from pipeline.public import score
    from pipeline.public.sketch import drawn

    told = score(folder, detectors.rules(rules), str(rules or "rules as shipped"))
    drawings = {name: one.pop("drawing") for name, one in told.items() if "drawing" in one}
    return told, {name: drawn(d) for name, d in drawings.items()} if plots else {}


def spelt(words: Sequence[str]) -> str:
    """A command line as a report shows it: where somebody keeps public data is nobody's business."""
    hidden = ["FOLDER" if before == "--public" else w for before, w in zip(["", *words], words, strict=False)]
    return shlex.join("--public=FOLDER" if w.startswith("--public=") else w for w in hidden)


def chosen(names: Sequence[str], *, everything: bool) -> list[Path]:
    """The files to be run; all means those of the four domains, not the cities, which take long."""
    ours = [p for d in DOMAINS for p in files(FOLDER / d)] if everything else []
    return list(dict.fromkeys([*ours, *(find(n) for n in names)]))


def watched(todo: Sequence[Job], jobs: int) -> list[Result]:
    """The results in the order of the jobs; how far it is is told on stderr, a line for each that ends."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("scenarios", total=len(todo))
        done: dict[Path, Result] = {}
        for job, result in finished(sorted(todo, key=_length, reverse=True), jobs):
            done[job.path] = result
            progress.advance(bar)
            console.print(_line(result), markup=False, soft_wrap=True)
    return [done[job.path] for job in todo]


def _line(r: Result) -> str:
    more = f" (+{len(r['failures']) - 1})" if len(r["failures"]) > 1 else ""
    told = "passed" if r["passed"] else f"failed: {r['failures'][0].splitlines()[0]}{more}"
    return f"{r['id']:6} {r['seconds']:7.1f} s  {told}"


def finished(todo: Sequence[Job], jobs: int) -> Iterator[tuple[Job, Result]]:
    """Each job as it ends. With one job at a time all is done in this process."""
    if jobs <= 1 or len(todo) <= 1:
        yield from ((job, tried(job)) for job in todo)
        return
    left: list[Job] = []
    with _pool(min(jobs, len(todo))) as pool:
        with deaf():
            running: dict[Future[Result], Job] = {pool.submit(tried, job): job for job in todo}
        try:
            for future in as_completed(running):
                try:
                    yield running[future], future.result()
                except BrokenProcessPool:
                    left.append(running[future])
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in active_children():
                child.terminate()
            raise
    yield from ((job, alone(job)) for job in left)


def alone(job: Job) -> Result:
    """A job whose pool has died, in a process of its own: one that kills its process (no memory) harms no other."""
    with _pool(1) as pool:
        try:
            return pool.submit(tried, job).result()
        except BrokenProcessPool:
            return broken(job.path, "its process was killed; is there enough memory?")


def _pool(n: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(n, mp_context=get_context("spawn"))


def _length(job: Job) -> float:
    """About how long it takes, so that the longest begin first. [s of the scenario]"""
    try:
        s = load(job.path)
    except Unusable:
        return 0.0
    return s.duration * (100.0 if "bridge" in s.worlds else 1.0)  # waveforms
