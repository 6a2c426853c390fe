import pytest

from lifeline.kinds import Unfit
from lifeline.measures import measure, time


@pytest.mark.parametrize(
    ("like", "text", "si"),
    [
        ("mm", "20 mm", 0.02),
        ("mm", "2cm", 0.02),
        ("kPa", "0.3 MPa", 3e5),
        ("%VOL", "2.5 %VOL", 0.025),
        ("%VOL", "50 %LEL", 0.025),
        ("%VOL/month", "0.15 %VOL/month", 0.0015 / 2_629_746),
        ("mm/year", "4 mm/year", 0.004 / 31_556_952),
        ("1", "5 %", 0.05),
        ("1", "0.05", 0.05),
        ("°C", "-15 °C", 258.15),
        ("1", "-1e-3", -0.001),
    ],
)
def test_a_number_with_its_unit_becomes_si(like: str, text: str, si: float) -> None:
    assert measure(like).read(text) == pytest.approx(si, rel=1e-12)


@pytest.mark.parametrize("text", ["20", "20 kPa", "mm", "twenty mm", "20 furlong", "20 mm/s", "", "nan mm", "20 °"])
def test_what_does_not_measure_it_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Unfit, match=r'must be a number and its unit, such as "1 mm"'):
        measure("mm", 0.1, 500).read(text)


@pytest.mark.parametrize(("text", "wrong"), [("0.1 mm", False), ("500 mm", False), ("0.05 mm", True), ("0.6 m", True)])
def test_bounds_are_allowed_themselves(text: str, wrong: bool) -> None:  # noqa: FBT001
    read = measure("mm", 0.1, 500).read
    if wrong:
        with pytest.raises(Unfit, match=r"must be from 0\.1 to 500 mm"):
            read(text)
    else:
        assert read(text) > 0


def test_an_angle_is_no_share() -> None:
    with pytest.raises(Unfit):
        measure("°").read("5 %")


def test_a_duration_has_bounds_too() -> None:
    assert time("1s", "2h").read("90m") == 5400
    with pytest.raises(Unfit, match="from 1s to 2h"):
        time("1s", "2h").read("3h")


def test_a_mark_of_no_unit_is_a_defect_found_at_import() -> None:
    with pytest.raises(ValueError, match="furlong"):
        measure("furlong")
