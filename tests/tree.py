"""A small network in EPANET's format for the tests of what reads one: a tree, whose heads add up pipe by pipe."""

from collections.abc import Mapping
from pathlib import Path

FLOW = 0.02  # [m³/s] drawn at each junction
PIPES = [("a", "R", "1"), ("b", "1", "2"), ("c", "2", "3"), ("d", "1", "4"), ("e", "4", "5")]
LENGTH, BORE, ROUGH = 800.0, 0.3, 110.0  # [m], [m], [1]


def written(folder: Path, devices: Mapping[str, str]) -> Path:
    """The file; devices: by node."""
    junctions = "".join(f" {n} 0 {FLOW * 1000}\n" for n in "12345")
    pipes = "".join(f" {n} {i} {j} {LENGTH} {BORE * 1000} {ROUGH} 0 Open\n" for n, i, j in PIPES)
    tags = "".join(f" NODE {n} {d}\n" for n, d in devices.items())
    file = folder / "tree.inp"
    file.write_text(
        f"[TITLE]\n[JUNCTIONS]\n{junctions}[RESERVOIRS]\n R 60\n[PIPES]\n{pipes}[TAGS]\n{tags}"
        "[OPTIONS]\n Units LPS\n Headloss H-W\n[TIMES]\n Duration 0\n[END]\n"
    )
    return file
