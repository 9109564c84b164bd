"""The script that records what evidence says, so that a change of the engine can be held to it."""

from pathlib import Path

import pytest

from scripts.facts import Recorded, compared, counted, record

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: %s, CodeUri: src, Timeout: %s}
"""


def recorded(folder: Path, runtime: str = "python3.13", timeout: str = "10") -> Recorded:
    folder.mkdir(exist_ok=True)
    (folder / "template.yaml").write_text(TEMPLATE % (runtime, timeout), encoding="utf-8")
    return record([folder])


def test_each_file_is_read_both_ways(tmp_path: Path) -> None:
    found = recorded(tmp_path)
    assert list(found) == ["template.yaml import", "template.yaml whole"]
    for facts in found.values():
        assert facts["bot.runtime"] == ["python3.13", 2, "template.yaml:6"]


@pytest.mark.parametrize(
    ("changed", "kind"), [({"timeout": "20"}, "value"), ({"runtime": "!Ref Unstated"}, "evidence>unknown")]
)
def test_a_difference_is_named_with_both_values(tmp_path: Path, changed: dict[str, str], kind: str) -> None:
    before = recorded(tmp_path)
    lines, counts = compared(before, recorded(tmp_path, **changed))
    assert counts[kind] >= 2
    assert all(line.startswith(kind) for line in lines)
    assert counts["known before"] - counts["still known"] == (0 if kind == "value" else counts[kind])


def test_equal_recordings_do_not_differ(tmp_path: Path) -> None:
    found = recorded(tmp_path)
    lines, counts = compared(found, found)
    assert lines == []
    assert counts["known before"] == counts["still known"] > 0


def test_a_file_that_cannot_be_read_is_recorded_with_its_message(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text("a: 1\n", encoding="utf-8")
    found = record([tmp_path])
    assert "expected a CloudFormation" in found["notes.yaml import"]["error"][0]


def test_the_table_counts_what_is_unknown(tmp_path: Path) -> None:
    head, *_, sums = counted(recorded(tmp_path)).splitlines()
    assert head.split() == ["evidence", "stated", "unknown"]
    assert all(int(number) > 0 for number in sums.split()[1::2])
