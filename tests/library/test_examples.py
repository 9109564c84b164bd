"""The library's content: every example of every file, and what the library as a whole promises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.support import HOME
from threatmodel.assessment.risk import Cell, residual
from threatmodel.library.condition import compile_condition
from threatmodel.library.entries import MITIGATIONS, SCENARIOS, ControlEffect, Library, Threat
from threatmodel.library.examples import (
    Evaluation,
    control_answer,
    control_mutants,
    facts_of,
    survivors,
    threat_answer,
    threat_mutants,
    wrong_answers,
)
from threatmodel.library.format import CONTROL_EXAMPLES, THREAT_EXAMPLES
from threatmodel.library.load import load_library
from threatmodel.model.facts import Facts
from threatmodel.reading.problems import Place
from threatmodel.reading.source import parse, read_text

LIBRARY = HOME / "threatlib"
FILES = sorted(LIBRARY.glob("*/*/*.yaml"))
HERE = Place("f")


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library(LIBRARY)


# --- the shipped library


def answers_of(data: dict[str, Any]) -> Iterator[tuple[str, Evaluation, tuple[str, ...]]]:
    """The conditions of a file as questions, by kind of element, with the answers that there are."""
    if "targets" in data:
        text = "true" if data["applies"] is True else data["applies"]
        for kind in data["targets"]:
            yield kind, threat_answer(compile_condition(text, kind)), THREAT_EXAMPLES
    else:
        scope = data["scope"]
        needs = [compile_condition(need["if"], scope) for need in data.get("needs", [])]
        in_place = compile_condition(data["in_place"], scope) if "in_place" in data else None
        yield scope, control_answer(in_place, needs), CONTROL_EXAMPLES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    data = parse(read_text(path, path.name), path.name).root
    for kind, answer, names in answers_of(data):
        for name in names:
            for values in data.get("examples", {}).get(name, []):
                assert answer(facts_of(values, HERE)) == name, f"{kind}: {values}"


def test_library_loads(library: Library) -> None:
    assert len(library.threats) + len(library.controls) == len(FILES)


def test_ids_are_file_names(library: Library) -> None:
    assert sorted([*library.threats, *library.controls]) == sorted(path.stem for path in FILES)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_has_threats(scenario: str, library: Library) -> None:
    assert len([threat for threat in library.threats.values() if threat.scenario == scenario]) >= 4


@pytest.mark.parametrize("mitigation", MITIGATIONS)
def test_every_mitigation_has_controls(mitigation: str, library: Library) -> None:
    assert [control for control in library.controls.values() if control.mitigation == mitigation]


def test_article_is_whole(library: Library) -> None:
    assert [(item.number, item.id) for item in library.article.scenarios] == list(enumerate(SCENARIOS, 1))
    assert [(item.number, item.id) for item in library.article.mitigations] == list(enumerate(MITIGATIONS, 1))


def test_every_threat_can_be_moved(library: Library) -> None:
    """By a control that stops, hinders or contains it, unless only the provider can treat it."""
    for threat in library.threats.values():
        moving = {"stops", "hinders", "contains"} & {link.effect for link in threat.links}
        assert moving or threat.by_provider, threat.id


ENOUGH = {
    "data-tampering": {"store-recovery", "guardduty-s3-protection"},
    "service-stopped-through-control-plane": {"concurrency-alarm", "function-change-alerts"},
    "source-code-disclosure": {"code-readers-restricted"},
}
"""Controls that bring a threat to low without stopping it: the damage is undone, or what is left discloses little."""


def test_what_only_reduces_a_threat_does_not_close_it_alone(library: Library) -> None:
    """With a runbook, which every team has to have, as the only other control."""
    found: dict[str, set[str]] = {}
    for threat in library.threats.values():
        inherent = Cell(threat.likelihood, threat.impact)
        runbook: list[ControlEffect] = ["responds" for link in threat.links if link.control == "incident-runbook"]
        for link in threat.links:
            if (
                link.effect != "stops"
                and inherent.band != "low"
                and residual(inherent, [link.effect, *runbook]).band == "low"
            ):
                found.setdefault(threat.id, set()).add(link.control)
    assert found == ENOUGH


def test_what_stops_a_threat_says_what_was_looked_at(library: Library) -> None:
    links = [(threat.id, link) for threat in library.threats.values() for link in threat.links]
    assert [(name, link.control) for name, link in links if (link.effect == "stops") != bool(link.looks_at)] == []


def reduced_by(control: str, library: Library) -> Iterator[Threat]:
    """The threats that a control stops, hinders or contains."""
    for threat in library.threats.values():
        if any(link.control == control and link.effect in {"stops", "hinders", "contains"} for link in threat.links):
            yield threat


def test_validation_says_nothing_about_origin(library: Library) -> None:
    """A forged message has the form of a genuine one (CWE-345: authenticity, CWE-346: origin)."""
    found = [one.id for one in reduced_by("input-validation", library) if {"CWE-345", "CWE-346"} & {*one.maps["cwe"]}]
    assert found == []


def test_recovery_brings_back_no_confidentiality(library: Library) -> None:
    assert [one.id for one in reduced_by("store-recovery", library) if "information-disclosure" in one.stride] == []


OF_SLACK = ("slack_facing", "privileged_commands", "handles_approvals")
"""Facts of exposure that only requests of Slack bring about."""


@pytest.mark.parametrize("control", ["slack-request-signing", "in-handler-authorization"])
def test_what_guards_slacks_routes_says_nothing_about_others(control: str, library: Library) -> None:
    for threat in reduced_by(control, library):
        link = next(one for one in threat.links if one.control == control)
        applies = " ".join(condition.text for condition in threat.applies.values())
        limited = any("web_facing" in condition.text for condition in link.conditions.values())
        assert limited or any(fact in applies for fact in OF_SLACK), threat.id


def test_what_comes_through_other_functions_comes_from_the_internet(library: Library) -> None:
    """A threat of any input reads whether requests arrive at all, and not only whether they arrive directly."""
    for threat in library.threats.values():
        applies = " ".join(condition.text for condition in threat.applies.values())
        direct = "web_facing" in applies or "internet_facing" in applies
        for move in threat.lowers:
            reads = {condition.text for condition in move.conditions.values()}
            assert direct or not any("not target.internet_facing" in text for text in reads), threat.id


# --- how to put controls in place


class TemplateLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags, each as plain data."""


def _short_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    match node:
        case yaml.MappingNode():
            return {suffix: loader.construct_mapping(node, deep=True)}
        case yaml.SequenceNode():
            return {suffix: loader.construct_sequence(node, deep=True)}
        case yaml.ScalarNode():
            return {suffix: loader.construct_scalar(node)}
        case _:
            raise AssertionError(node)


TemplateLoader.add_multi_constructor("!", _short_tag)


@pytest.mark.parametrize("path", sorted((LIBRARY / "controls").glob("*/*.yaml")), ids=lambda path: path.stem)
def test_templates_are_yaml(path: Path) -> None:
    how = parse(read_text(path, path.name), path.name).root["how"]
    if "cloudformation" in how:
        found = yaml.load(how["cloudformation"], TemplateLoader)  # noqa: S506 - a safe loader with tags as data
        assert isinstance(found, dict | list)


# --- the runner


def condition_facts(*names: str) -> st.SearchStrategy[Facts]:
    values = st.fixed_dictionaries({}, optional=dict.fromkeys(names, st.booleans()))
    return values.map(lambda found: facts_of(found, HERE))


SIGNED = compile_condition("target.verifies_signature", "function")
FACING = compile_condition("target.internet_facing", "function")


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({"internet_facing": True, "verifies_signature": True}, "in_place"),
        ({"internet_facing": True, "verifies_signature": False}, "not_in_place"),
        ({"internet_facing": True}, "unknown"),
        ({"verifies_signature": True}, "unknown"),
        ({"verifies_signature": False}, "not_in_place"),
        ({"internet_facing": False, "verifies_signature": True}, "not_applicable"),
        ({}, "unknown"),
    ],
)
def test_control_answer(values: dict[str, bool], answer: str) -> None:
    assert control_answer(SIGNED, [FACING])(facts_of(values, HERE)) == answer


@pytest.mark.parametrize(
    ("values", "answer"),
    [({"internet_facing": True}, "unknown"), ({"internet_facing": False}, "not_applicable"), ({}, "unknown")],
)
def test_answer_of_a_control_that_only_a_person_can_tell(values: dict[str, bool], answer: str) -> None:
    assert control_answer(None, [FACING])(facts_of(values, HERE)) == answer


def examples(*items: tuple[str, dict[str, bool]]) -> Sequence[tuple[str, Facts, Place]]:
    return [(answer, facts_of(values, HERE), HERE) for answer, values in items]


def test_survivors_name_what_no_example_notices() -> None:
    condition = compile_condition("target.in_vpc and target.role_shared", "function")
    both = examples(("applies", {"in_vpc": True, "role_shared": True}))
    assert list(survivors(threat_mutants(condition), both)) == ["or for and"]
    one = examples(("does_not_apply", {"in_vpc": True, "role_shared": False}))
    assert list(survivors(threat_mutants(condition), [*both, *one])) == []


def test_needs_are_mutated_too() -> None:
    pinned = examples(
        ("in_place", {"internet_facing": True, "verifies_signature": True}),
        ("not_in_place", {"internet_facing": True, "verifies_signature": False}),
    )
    assert list(survivors(control_mutants(SIGNED, [FACING]), pinned)) == []
    assert list(survivors(control_mutants(SIGNED, [FACING]), pinned[:1])) == []
    assert len(list(control_mutants(SIGNED, [FACING]))) == 2


def test_wrong_answers_say_what_is_found() -> None:
    ((example, found),) = wrong_answers(threat_answer(FACING), examples(("applies", {})))
    assert (example[0], found) == ("applies", "undetermined")


@given(condition_facts("internet_facing", "verifies_signature"))
def test_control_in_place_is_applicable(facts: Facts) -> None:
    answer = control_answer(SIGNED, [FACING])(facts)
    assert (answer == "in_place") == (SIGNED.truth(facts) > 0 and FACING.truth(facts) > 0)
    assert (answer == "not_applicable") == (FACING.truth(facts) < 0)


def test_a_threat_that_spares_nothing_says_why(library: Library) -> None:
    spares_nothing = {
        threat.id for threat in library.threats.values() if {c.text for c in threat.applies.values()} == {"true"}
    }
    assert {threat.id for threat in library.threats.values() if threat.everywhere} == spares_nothing
    assert len(spares_nothing) <= 24, "read what exposes an element where it can be read"
