"""Where public data and their scorers lie: they are read in place, nothing is copied and nothing is left beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any, Final

FILE: Final = "scorers.py"
SCORERS: Final = (
    "it belongs to the collection of the data and holds the published metrics as functions: "
    "nab_score (github.com/numenta/NAB), binary (github.com/waico/SKAB), metec (doi 10.1525/elementa.2023.00110), "
    "leak_starts (leaks found within 14 days)"
)


class InPlace(SourceFileLoader):
    """Leaves no compiled file beside what it loads."""

    def set_data(self, path: Any, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""


@dataclass(frozen=True)
class Scorers:
    """The metrics as published."""

    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    fault: str = ""  # why there are none

    def lacking(self, wanted: Sequence[str]) -> str:
        """What is to be obtained so that a set can be scored; "" when all is there."""
        gone = [name for name in wanted if name not in self.functions]
        if gone and self.fault:
            return self.fault
        return f"{FILE} has no function {', '.join(gone)}; {SCORERS}" if gone else ""

    def __getitem__(self, name: str) -> Callable[..., Any]:
        return self.functions[name]


def scorers(folder: Path) -> Scorers:
    """The scorers that lie in the folder or beside it."""
    here = folder.resolve()
    path = next((p for p in (here / FILE, here.parent / FILE) if p.is_file()), None)
    if path is None:
        return Scorers(fault=f"{FILE} is neither in the folder nor in the one above; {SCORERS}")
    loader = InPlace("public_scorers", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    try:
        loader.exec_module(module)
    except Exception as why:  # noqa: BLE001  a stranger's program
        return Scorers(fault=f"{FILE} cannot be run: {type(why).__name__}: {why}")
    return Scorers({k: v for k, v in vars(module).items() if callable(v)})


def places(folder: Path, needs: Sequence[str]) -> list[Path]:
    """The folder itself and those in it that hold all the files of a set."""
    inside = sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
    return [p for p in (folder, *inside) if all((p / name).is_file() for name in needs)]


def wanting(at: Path, needs: Sequence[str]) -> str:
    """Which files of a set are not there."""
    gone = [name for name in needs if not (at / name).is_file()]
    return f"no folder {at.name} with {', '.join(needs)}" if not at.is_dir() else f"{at.name} lacks {', '.join(gone)}"
