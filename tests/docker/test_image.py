"""What goes into the image: the wheel that the Dockerfile builds, whole, and a Dockerfile that keeps the usual rules."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests import town

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = tuple(sorted(p.parent.name for p in ROOT.glob("*/__init__.py") if p.parent.name != "tests"))
TEXT: Final = (ROOT / "docker" / "Dockerfile").read_text("utf-8")


class Step(NamedTuple):
    stage: int
    word: str  # FROM, RUN, ...
    rest: str


def steps() -> list[Step]:
    """The instructions, each on one line, with the number of their stage."""
    found, stage = [], -1
    plain = "\n".join(line for line in TEXT.splitlines() if not line.lstrip().startswith("#")).replace("\\\n", " ")
    for line in plain.splitlines():
        if line.strip():
            word, rest = line.split(None, 1)
            stage += word == "FROM"
            found.append(Step(stage, word, " ".join(rest.split())))
    return found


STEPS: Final = steps()
LAST: Final = [s for s in STEPS if s.stage == max(s.stage for s in STEPS)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of what .dockerignore lets through, as the Dockerfile builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "src"
    source.mkdir()
    for name in let_through():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        elif (ROOT / name).exists():
            shutil.copyfile(ROOT / name, source / name)
    (command,) = [part for s in STEPS if s.word == "RUN" for part in s.rest.split(" && ") if " pip wheel " in part]
    words = command.replace("/opt/lifeline/bin/python", sys.executable).replace("/dist", str(folder)).split()
    done = subprocess.run(words, cwd=source, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = folder.glob("*.whl")
    return made


def let_through() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in lines, "everything is kept out that is not named"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    there = {
        p.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for p in (ROOT / package).rglob("*")
        if p.is_file() and "__pycache__" not in p.parts and p.suffix != ".md"
    }
    there |= {p.relative_to(ROOT).as_posix() for p in (ROOT / "alerts/plans").glob("*.md")}
    assert sorted(there - held) == [], "named neither in packages nor in package-data of pyproject.toml"
    assert not [name for name in held if name.split("/")[0] == "tests"]


def test_what_is_installed_from_the_wheel_works_away_from_the_tree(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(target)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(target), "HOME": str(tmp_path)}

    def ran(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert Path(ran("-c", "import pipeline.cli as c; print(c.__file__)").strip()).is_relative_to(target)
    assert "simulate" in ran("-m", "pipeline.cli", "--help")
    town.catalog(tmp_path)
    (tmp_path / "lifeline.toml").write_text('[city]\nname = "x"\ncatalog = "catalog.csv"\n[channels.record]\ntype = "log"\n')
    said = ran("-m", "pipeline.cli", "check-config")
    rules = re.search(r"rules +(\d+)", said)
    assert rules is not None, said
    assert int(rules[1]) > 50


def test_the_image_is_built_in_stages_and_runs_as_nobody() -> None:
    froms = [s.rest for s in STEPS if s.word == "FROM"]
    assert len(froms) == 2
    (base,) = [s.rest for s in STEPS if s.word == "ARG" and s.stage == -1]
    assert re.fullmatch(r"PYTHON=3\.\d+-slim-\w+", base), "a version and a release of Debian, never `latest`"
    (user,) = [s.rest for s in LAST if s.word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "by number, so that an orchestrator sees that it is not root"
    after = [s.word for s in LAST[next(i for i, s in enumerate(LAST) if s.word == "USER") + 1 :]]
    assert not set(after) & {"RUN", "COPY"}, "nothing is made as somebody else afterwards"


def test_the_dockerfile_keeps_the_usual_rules() -> None:
    for s in STEPS:
        assert s.word != "ADD", "COPY says what it does"
        if s.word in {"CMD", "ENTRYPOINT"}:
            assert s.rest.startswith("["), "without a shell, so that signals reach the process"
        if "apt-get install" in s.rest:
            assert "apt-get update" in s.rest, "in one layer, lest an old list is used"
            assert "--no-install-recommends" in s.rest
            assert "rm -rf /var/lib/apt/lists/*" in s.rest
        if "pip install" in s.rest and "--no-deps" not in s.rest.split("pip install")[1]:
            assert "--constraint requirements.lock" in s.rest, "the versions that were tested"
    assert any(s.word == "HEALTHCHECK" for s in LAST)
    assert "PIP_NO_CACHE_DIR=1" in next(s.rest for s in STEPS if s.word == "ENV")
    secrets = re.compile(r"(password|secret|token)\s*=", re.IGNORECASE)
    assert not [s for s in STEPS if s.word in {"ENV", "ARG"} and secrets.search(s.rest)]


def test_every_package_reaches_the_image_and_nothing_of_the_machine_does() -> None:
    through = set(let_through())
    assert set(PACKAGES) <= through
    assert not through & {"tests", "docker", ".env", "docs", ".git"}
    assert "**/__pycache__" in (ROOT / ".dockerignore").read_text("utf-8")
