"""What a process keeps in memory, and how it lets go of it at its end."""

import subprocess
import sys


def test_a_process_that_has_settled_ends_without_a_word() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import duckdb; from pipeline.memory import settle; settle()"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert done.stdout + done.stderr == ""
