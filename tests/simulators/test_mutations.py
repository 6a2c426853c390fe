"""Files that people mistype in every way: each is read or refused in words with file and line, and never breaks the program."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifeline.words import Unusable
from simulators.scenario import FOLDER, ScenarioRefused, load
from simulators.stage import stage

HEAD = """\
id = "X"
zh = "x"
en = "x"
start = "2026-03-10T00:00:00+08:00"
duration = "2h"
"""
GAS = HEAD + "[world.gas]\n"
SENSOR = GAS + '[[sensor]]\nseries = "laser-1/ch4"\n'
DEVICE = GAS + '[[transport]]\ndevice = "laser-1"\n'
GOOD = [(FOLDER / "gas" / f"{name}.toml").read_text("utf-8") for name in ("G3", "G13", "G15")] + [
    SENSOR + 'kind = "spike"\nsize = "3 %VOL"\nevery = "10m"\nwidth = "2m"\n'
]
ODD = (
    "", "0", "-1", "1e400", "nan", "inf", "true", "[]", "{}", "[[]]", '""', '" "', '"0s"', '"-1s"', '"3660d"', '"1 ms"',
    '"1e300 %VOL"', '"٣ mm"', '"*"', '"["', "1" + "0" * 400, "1" + "0" * 5000, "2026-03-10", '"2026-03-10"', "\ufeff",
    '"9999-12-31T23:59:59-12:00"', '["gas.leak"]', "{a = 1}", "0x10", '"5 °C"', "\\", "\x00", '"""', "[world.gas]",
)  # fmt: skip


def read(folder: Path, text: str) -> list[str]:
    """What is wrong with it; the file must be read as a whole, and set up, before it counts as right."""
    path = folder / "x.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        assert stage(load(path)).catalog.n >= 0
    except ScenarioRefused as why:
        problems = why.problems
    else:
        return []
    assert all(p.startswith(f"{path}:") and p.split(":")[1].isdigit() for p in problems)
    return [p.removeprefix(f"{path}:") for p in problems]


@settings(max_examples=300, deadline=None)
@given(
    text=st.sampled_from(GOOD), where=st.integers(0, 10**6), what=st.sampled_from(ODD),
    how=st.sampled_from(["value", "key", "insert", "drop", "twice", "cut"]),
)  # fmt: skip
def test_a_good_file_changed_anywhere_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str, where: int, what: str, how: str
) -> None:
    lines = text.splitlines()
    i = where % len(lines)
    key, _, value = lines[i].partition(" = ")
    lines[i : i + 1] = {
        "value": [f"{key} = {what}"],
        "key": [f"{key}x = {value}"],
        "insert": [lines[i], what],
        "drop": [],
        "twice": [lines[i], lines[i]],
        "cut": [lines[i][: where % (len(lines[i]) + 1)]],
    }[how]
    read(tmp_path_factory.getbasetemp(), "\n".join(lines))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SENSOR + 'kind = "spike"\nsize = ""\n', "7: sensor[0]: laser-1/ch4: must be a number and its unit"),
        (SENSOR + 'kind = "stuck"\nvalue = "1e400 %VOL"\n', "must be a number and its unit"),
        (SENSOR + 'kind = "jumps"\nsize = "1 %VOL"\nevery = "0s"\nwidth = "1s"\n', "11: sensor[0].every: must be from 1ms"),
        (SENSOR + 'kind = "clip"\nlow = "2 %VOL"\nhigh = "1 %VOL"\n', "low: 2 %VOL is above high, which is 1 %VOL"),
        (SENSOR + 'kind = "swap"\nother = "laser-1/ch4"\n', "other: laser-1/ch4 is the series itself"),
        (SENSOR + 'kind = "stuck"\nat = "3h"\n', "10: sensor[0].at: 10800 s is not before the end"),
        (SENSOR.replace("laser-1", "lazer-1") + 'kind = "stuck"\n', "7: sensor[0]: series: no series fits"),
        (DEVICE + 'kind = "skew"\noffset = "1e300 s"\n', "10: transport[0].offset: must be from"),
        (DEVICE + 'kind = "swap"\nother = "rtu-1"\n', "7: transport[0]: other: rtu-1 has no channel in common"),
        (GAS + "[[world.gas.well]]\nvolume = 1" + "0" * 400, "8: world.gas.well[0].volume: must be a finite number"),
        (GAS + '[[fault]]\nkind = ["gas.leak"]\n', "8: fault[0].kind: ['gas.leak'] is unknown"),
        (GAS + '[[fault]]\nkind = "gas.vent"\n[[fault]]\nkind = "gas.seep"\nwell = "well-9"\n', "11: fault[1].well: there"),
        (GAS + '[[expect]]\nasset = "wall-*"\nhazard = ["x"]\n', "8: expect[0].asset: no asset fits 'wall-*'; there"),
        (GAS + '[[expect]]\nasset = "*"\nhazard = []\n', "7: expect[0]: hazard: names none"),
        (HEAD.replace("2026", "9999") + "[world.gas]\n", "4: start: must be a time from 1971 to 2199"),
        (HEAD + '[world]\ngas = 3\n[[fault]]\nkind = "gas.leak"\n', "7: world.gas: must be a table, not 3"),
        (HEAD + "seed = 1" + "0" * 5000, "is no TOML"),
        (HEAD + "x = " + "[" * 5000, "is no TOML"),
        (HEAD + "[world.gas", "6: is no TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_line_and_nothing_else_is(tmp_path: Path, text: str, said: str) -> None:
    problems = read(tmp_path, text)
    assert said in problems[0]
    assert len(problems) == 1


@pytest.mark.parametrize(
    "text",
    ["\ufeff" + GAS, GAS.replace("\n", "\r\n"), GAS.replace('"2026-03-10T00:00:00+08:00"', "2026-03-10T00:00:00+08:00")],
)
def test_what_editors_and_toml_allow_is_allowed(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == []


def test_a_file_that_is_none_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be read"):
        load(tmp_path)
