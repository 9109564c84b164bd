"""A genuine pytm model: what is set survives, and every process may hold several."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pydantic
import pytest
import pytm
import pytm.pytm

from tests.pytm_model.systems import MODEL, element, flows, found
from tests.support import HOME, TODAY, assessed, graph_of
from threatmodel.graph.elements import Graph
from threatmodel.library.condition import compile_condition
from threatmodel.library.entries import Library
from threatmodel.model.vocabulary import FACTS, KINDS
from threatmodel.pytm_model.model import to_pytm
from threatmodel.pytm_model.terms import CLASSES, attribute

# --- what it is made of


def test_elements_are_of_pytms_own_classes(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    assert isinstance(model, pytm.TM)
    expected = {
        "bot": pytm.Lambda,
        "gate": pytm.Server,
        "orders": pytm.Datastore,
        "pin": pytm.Datastore,
        "account": pytm.Boundary,
        "pipeline": pytm.Process,
        "slack": pytm.ExternalEntity,
        "slack-user": pytm.Actor,
    }
    for name, cls in expected.items():
        assert type(element(model, name)).__name__ == cls.__name__
        assert isinstance(element(model, name), cls)
    assert all(isinstance(flow, pytm.Dataflow) for flow in flows(model))


def test_boundaries_nest_as_zones(graph: Graph, library: Library) -> None:
    bot = element(to_pytm(graph, library), "bot")
    assert bot.inBoundary.element_id == "execution"
    assert [b.element_id for b in bot.inBoundary.parents()] == ["account"]


def test_facts_are_attributes_and_what_is_not_known_is_none(graph: Graph, library: Library) -> None:
    bot = element(to_pytm(graph, library), "bot")
    assert bot.verifies_signature is True
    assert bot.slack_facing is True
    assert bot.in_vpc is None
    assert not element(to_pytm(graph, library), "old").inScope


def test_a_typo_or_a_wrong_value_raises(graph: Graph, library: Library) -> None:
    bot = element(to_pytm(graph, library), "bot")
    for name, value in (("verifies_signatur", True), ("verifies_signature", "yes"), ("code_signing", "enforced")):
        with pytest.raises(pydantic.ValidationError):
            setattr(bot, name, value)
    with pytest.raises(pydantic.ValidationError):
        bot.controls.verifiedd = "proven"
    bot.runtime = "python4.0"  # runtimes are an open list


def test_facts_have_no_names_of_pytms_own() -> None:
    for name in dict.fromkeys(CLASSES.values()):
        cls = getattr(pytm, name)
        taken = {*dir(cls), *cls.model_fields, "element_id", "element_kind"}
        rows = [row for kind in KINDS if CLASSES[kind] == name for row in FACTS[kind].values()]
        assert not taken & {row.name for row in rows}
        shapes = {(row.name, type(row.shape)) for row in rows}
        assert len(shapes) == len({row.name for row in rows}), "one attribute would need two types"


def test_controls_have_no_names_of_pytms_own() -> None:
    names = {attribute(path.stem) for path in (HOME / "threatlib" / "controls").glob("*/*.yaml")}
    assert names
    assert not names & {*dir(pytm.Controls), *pytm.Controls.model_fields}


def test_data_of_one_name_stay_two(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    (write,) = [flow for flow in flows(model) if flow.element_id == "bot:orders:write"]
    model.check()
    assert sorted(item.description for item in write.data) == ["code", "order"]
    assert {(item.name, item.classification.name, item.isPII) for item in write.data} == {
        ("order", "SENSITIVE", True),
        ("order", "SECRET", False),
    }
    token = [item for flow in flows(model) for item in flow.data if item.description == "slack:signing-secret"]
    assert token
    assert all(item.isCredentials for item in token)


# --- checking and resolving


def test_protocol_port_and_encryption_survive_check(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    lines = [(f.element_id, f.protocol, f.dstPort, f.controls.isEncrypted, f.levels) for f in flows(model)]
    stated = {name: line for name, *line, _ in lines}
    assert stated["internet:gate:request"] == ["HTTP", 80, False]
    assert stated["slack:gate:events"] == ["HTTPS", 443, True]
    assert stated["bot:bot.environment:use"] == ["in-process", -1, False]
    for _ in range(2):
        model.check()
        after = [(f.element_id, f.protocol, f.dstPort, f.controls.isEncrypted, f.levels) for f in flows(model)]
        assert after == lines


def test_what_a_user_sets_survives_and_what_nobody_set_follows_the_receiver(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    flow = flows(model)[0]
    flow.controls.authenticatesDestination = True
    flow.protocol = "gRPC"
    flow.source.controls.checksDestinationRevocation = True
    model.check()
    assert flow.controls.authenticatesDestination
    assert flow.protocol == "gRPC"
    assert flow.controls.checksDestinationRevocation
    flow.source.controls.checksDestinationRevocation = False
    model.check()
    assert not flow.controls.checksDestinationRevocation


def test_threats_apply_as_the_facts_say(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    encrypted = {("eavesdropped", f.element_id) for f in flows(model) if f.encrypted and f.inScope}
    assert found(model) == {("forged", "bot"), ("anything", "bot"), ("read", "orders"), *encrypted}


def test_what_is_out_of_scope_has_no_findings(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    found(model)
    assert element(model, "old").findings == []
    assert [finding.threat_id for finding in element(model, "bot").findings] == ["anything", "forged"]


def test_a_second_run_finds_the_same(graph: Graph, library: Library) -> None:
    model = to_pytm(graph, library)
    assert found(model) == found(model)
    element(model, "bot").slack_facing = False
    assert ("forged", "bot") not in found(model)


def test_our_verdict_is_the_response_and_states_are_controls(tmp_path: Path, library: Library) -> None:
    assessment = assessed(tmp_path, MODEL, library, today=TODAY)
    model = to_pytm(assessment.graph, library, assessment)
    found(model)
    verdicts = {finding.id: finding.verdict for finding in assessment.applying}
    responses = {f"{f.threat_id}@{f.element.element_id}": f.response for f in model.findings}
    assert verdicts
    assert responses == verdicts
    assert element(model, "bot").controls.verified == "claimed"
    assert element(model, "organization").controls.trained == "unknown"
    assert not element(model, "gate").controls.verified


def test_a_finding_that_waits_for_an_answer_says_so(tmp_path: Path, library: Library) -> None:
    """pytm takes what nobody stated for a no."""
    applies = {"function": compile_condition("not target.in_vpc", "function")}
    asking = replace(library, threats={"forged": replace(library.threats["forged"], applies=applies)})
    assessment = assessed(tmp_path, MODEL, asking, today=TODAY)
    model = to_pytm(assessment.graph, asking, assessment)
    assert found(model) == {("forged", "bot")}
    assert [finding.response for finding in model.findings] == ["undetermined"]


# --- one process, several models


def test_two_models_do_not_mix(graph: Graph, library: Library, tmp_path: Path) -> None:
    other = graph_of(tmp_path, "name: y\nfunctions: {alone: {triggers: []}}")
    first, second = to_pytm(graph, library), to_pytm(other, library)
    assert {name for _, name in found(second)} >= {"alone"}
    assert "alone" not in {name for _, name in found(first)}
    assert "alone" in second.dfd()
    assert "alone" not in first.dfd()
    assert pytm.TM._elements == []  # noqa: SLF001 - the registry of everybody else
    assert pytm.TM._threats == []  # noqa: SLF001 - as above
    with first.active():
        pytm.Server("cache")
    assert "cache" in first.dfd()
    assert pytm.TM._elements == []  # noqa: SLF001 - as above


def test_making_a_model_leaves_everybodys_random_numbers_alone(graph: Graph, library: Library) -> None:
    before = random.getstate()
    to_pytm(graph, library).check()
    assert random.getstate() == before


def test_the_same_model_gives_the_same_text(graph: Graph, library: Library) -> None:
    first, second = to_pytm(graph, library), to_pytm(graph, library)
    for model in (first, second):
        model.check()
    assert first.dfd() == first.dfd() == second.dfd()
    assert first.seq() == second.seq()


def test_a_threats_file_of_the_users_is_read(graph: Graph, library: Library, tmp_path: Path) -> None:
    model = to_pytm(graph, library)
    rules = [{"SID": "MINE", "target": ["Lambda"], "condition": "target.onAWS", "severity": "Low"}]
    (tmp_path / "mine.json").write_text(json.dumps(rules), encoding="utf-8")
    model.threatsFile = str(tmp_path / "mine.json")
    assert found(model) == {("MINE", "bot")}
