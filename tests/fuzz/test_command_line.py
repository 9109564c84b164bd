"""Whatever stands in a file or an argument, a run ends with 0, 1 or 2 and says why; `running` tries many more."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from itertools import islice
from random import Random

import pytest

from tests.fuzz.cases import case
from tests.fuzz.mutating import ODD, data_of, mutated, text_of
from tests.fuzz.replacing import replaced
from tests.fuzz.running import Ended, at_work, failing, failure, fault

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGPROF"), reason="a case is ended by the processor's time")
SLICES = 6


@pytest.fixture
def working() -> Iterator[None]:
    with at_work():
        yield


@pytest.mark.slow
@pytest.mark.parametrize("part", range(SLICES))
@pytest.mark.usefixtures("working")
def test_every_case_ends_well(part: int) -> None:
    wrong = {number: told for number in range(part, 150, SLICES) if (told := failure(0, number))}
    assert wrong == {}


@pytest.mark.long
@pytest.mark.parametrize("part", range(100))
@pytest.mark.usefixtures("working")
def test_a_hundred_thousand_cases_end_well(part: int) -> None:
    wrong = {number: told for number in range(part * 1000, part * 1000 + 1000) if (told := failure(1, number))}
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.usefixtures("working")
def test_nodes_of_another_type_end_well() -> None:
    """Every 601st of them, which falls on all kinds of files and of replacements."""
    cases = [made() for made in islice(replaced(), 0, None, 601)]
    assert {one.kind for one in cases} >= {"plan.json", "template.yaml", "serverless.yml", "model.yaml"}
    assert {str(one): told for one in cases if (told := failing(one))} == {}


@pytest.mark.long
@pytest.mark.parametrize("part", range(100))
@pytest.mark.usefixtures("working")
def test_every_node_of_another_type_ends_well(part: int) -> None:
    cases = (made() for made in islice(replaced(), part, None, 100))
    assert {str(one): told for one in cases if (told := failing(one))} == {}


@pytest.mark.slow
def test_a_case_is_always_the_same() -> None:
    assert [case(3, number) for number in range(50)] == [case(3, number) for number in range(50)]
    assert len({str(case(3, number)) for number in range(50)}) > 40


def test_data_changes_and_can_be_written() -> None:
    data = {"a": [1, {"b": "c"}], "d": {"Ref": "a"}}
    for number in range(500):
        random = Random(number)
        changed = mutated(data, [data], random)
        assert isinstance(text_of(changed, random), str)
    assert data == {"a": [1, {"b": "c"}], "d": {"Ref": "a"}}
    assert data_of("a: !Sub [x, {y: !Ref z}]") == {"a": {"Fn::Sub": ["x", {"y": {"Ref": "z"}}]}}
    assert len(ODD) > 100


@pytest.mark.parametrize(
    ("code", "out", "err", "wrong"),
    [
        (0, "fine\n", "", ""),
        (70, "", "tm.py: internal error", "exit code 70"),
        (None, "", "", "exit code None"),
        (2, "", "", "exit code 2 without a word"),
        (2, "", "Traceback (most", "a traceback"),
        (0, "a\x1b[31m", "", "'\\x1b' is printed"),
        (2, "", "a\u202eb", "'\\u202e' is printed"),
    ],
)
def test_what_is_wrong_is_found(code: object, out: str, err: str, wrong: str) -> None:
    assert fault(Ended(code=code, out=out, err=err), ("--dfd",)) == wrong
