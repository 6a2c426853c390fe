"""The command `lifeline query`."""

import csv as table
import sys
from typing import Final

from rich.console import Console
from rich.table import Column, Table

from lifeline.catalog import load
from lifeline.clock import since
from lifeline.config import Config
from lifeline.kinds import duration
from store import query
from store.lake import Lake

WIDE: Final = 100  # [character] that a line of slots needs


def show(config: Config, key: str, start: str, end: str, every: str, *, csv: bool) -> int:
    """Print one series; exit code 1 when it is not known."""
    lake = Lake(config.city.data / "lake", load(config.city.catalog))
    try:
        answer = query.rows(lake, key, since(start), since(end), duration(every) if every else None)
    except (query.UnknownKey, ValueError) as why:
        sys.stderr.write(f"{why}\n")
        return 1
    if csv:
        out = table.writer(sys.stdout)
        out.writerow(answer.header)
        out.writerows(answer.lines)
        return 0
    shown = Table(*(Column(name, no_wrap=True) for name in answer.header), title=key)
    for line in answer.lines:
        shown.add_row(*line)
    Console(width=max(Console().width, WIDE)).print(shown)
    return 0
