"""What files show of the account and the pipeline counts, whether or not the model describes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.collecting import collected
from tests.support import HOME, TODAY, control, library_of, threat
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.states import States
from threatmodel.graph.building import build
from threatmodel.library.directions import directions
from threatmodel.library.entries import Library
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Bot: {Type: AWS::Serverless::Function, Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: src/}}
  Partner:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {AWS: "*"}, Action: "sts:AssumeRole"}]}
"""
MODEL = """\
name: Planes
evidence: [{template: template.yaml}]
functions: {bot: {}}
"""


@pytest.fixture(name="real", scope="module")
def our_library() -> Library:
    return load_library(HOME / "threatlib")


def _assessed(folder: Path, library: Library, more: str, template: str = TEMPLATE) -> Assessment:
    (folder / "template.yaml").write_text(template, encoding="utf-8")
    model = folder / "model.yaml"
    model.write_text(MODEL + more, encoding="utf-8")
    system = load_model(Files(), model)
    statements, read = collected(system, Files(), directions(library))
    return assess(build(system, statements, TODAY, read), library, TODAY)


@pytest.mark.parametrize("more", ["", "account: {name: Production}\n", "account: {other_roles_restricted: true}\n"])
def test_what_a_file_shows_to_be_bad_is_a_finding(tmp_path: Path, real: Library, more: str) -> None:
    found = {one.id: one.verdict for one in _assessed(tmp_path, real, more).findings}
    assert found["other-role-assumable@account"] == "open"


def test_a_default_of_a_resource_is_shown_of_an_undescribed_account(tmp_path: Path, real: Library) -> None:
    """An access key is active unless its Status says otherwise."""
    key = "  Key: {Type: AWS::IAM::AccessKey, Properties: {UserName: deployer}}\n"
    found = {one.id: one.verdict for one in _assessed(tmp_path, real, "", TEMPLATE + key).findings}
    assert found["long-lived-key-leaked@account"] == "open"
    found = {one.id: one.verdict for one in _assessed(tmp_path, real, "").findings}
    assert found["long-lived-key-leaked@account"] == "undetermined"


def test_a_plane_that_only_files_speak_of_is_still_asked_about_as_a_whole(tmp_path: Path, real: Library) -> None:
    assessment = _assessed(tmp_path, real, "")
    about = [one for one in assessment.questions if "account" in one.elements]
    assert [one.kind for one in about] == ["describe"]
    assert not assessment.graph.elements["account"].described


def test_what_a_file_leaves_out_says_nothing_of_a_plane_that_no_model_describes(tmp_path: Path, real: Library) -> None:
    graph = _assessed(tmp_path, real, "").graph
    assert not {"deploy_strategy", "artifacts_immutable"} & graph.elements["pipeline"].facts.keys()
    assert "deploy_strategy" in _assessed(tmp_path, real, "pipeline: {}\n").graph.elements["pipeline"].facts


def test_what_only_a_person_can_tell_of_it_is_asked_with_the_rest(tmp_path: Path) -> None:
    library = library_of(
        tmp_path,
        threat("taken", "{ours: {stops: it does}}", target="account", applies="true"),
        control("ours", scope="account"),
    )
    graph = _assessed(tmp_path, load_library(HOME / "threatlib"), "").graph
    assert graph.elements["account"].facts
    state = States(graph, library, TODAY).at(library.controls["ours"], "account")
    assert [one.kind for one in state.asks] == ["describe"]
