"""What reassures is evidence only where it holds in every world that a file leaves open."""

from __future__ import annotations

import contextlib
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

import threatmodel
from tests.collecting import collected
from threatmodel.command.request import Invocation
from threatmodel.library.directions import Directions
from threatmodel.model.facts import Statement
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files
from threatmodel.reading.problems import InputError

MODEL = """\
name: Shop
owner: shop
functions:
  bot:
    triggers: []
evidence:
  - {template: template.yaml, resources: {bot: Bot}}
"""
FUNCTION = """\
Bot:
  Type: AWS::Lambda::Function
  Properties:
    Handler: app.handler
    Runtime: python3.13
"""
Monkey = pytest.MonkeyPatch
State = Callable[[str, str, str], list[Statement]]


@pytest.fixture
def state(tmp_path: Path, ways: Directions, monkeypatch: pytest.MonkeyPatch) -> State:
    """What evidence says of a fact of the function, from the head of a template and the function's properties."""

    def stated(head: str, properties: str, fact: str) -> list[Statement]:
        (tmp_path / "model.yaml").write_text(MODEL, encoding="utf-8")
        body = head + "Resources:\n" + indent(FUNCTION + indent(properties, "    "), "  ")
        (tmp_path / "template.yaml").write_text(body, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        files = Files()
        evidence, _ = collected(load_model(files, Path("model.yaml")), files, ways)
        return list(evidence.get("bot", {}).get(fact, ()))

    return stated


def parameter(name: str, *rows: str) -> str:
    return f"Parameters:\n  {name}:\n" + "".join(f"    {row}\n" for row in rows)


TIMEOUT = "Timeout: !Ref Seconds\n"


def test_what_stands_there_is_evidence(state: State) -> None:
    (said,) = state("", "Timeout: 10\n", "timeout_seconds")
    assert (said.value, said.size) == (10, 2)


def test_the_default_of_a_free_parameter_is_word(state: State) -> None:
    (said,) = state(parameter("Seconds", "Type: Number", "Default: 10"), TIMEOUT, "timeout_seconds")
    assert (said.value, said.size, said.defaults) == (10, 1, ("Seconds",))
    assert said.note == "from the default of the parameter Seconds"


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (["AllowedValues: [5, 10, 9]"], 2),
        (["AllowedValues: [5, 10, 900]"], 1),
        (["MinValue: 1", "MaxValue: 10"], 2),
        (["MinValue: 1", "MaxValue: 900"], 1),
        (["MaxValue: 10"], 1),
        (["MinValue: 1"], 1),
    ],
)
def test_every_value_that_a_parameter_may_take_counts(state: State, rows: list[str], size: int) -> None:
    (said,) = state(parameter("Seconds", "Type: Number", "Default: 10", *rows), TIMEOUT, "timeout_seconds")
    assert said.size == size


def test_an_alarming_default_stays_evidence(state: State) -> None:
    (said,) = state(parameter("Seconds", "Type: Number", "Default: 900"), TIMEOUT, "timeout_seconds")
    assert (said.value, said.size) == (900, 2)


STAGE = parameter("Stage", "Type: String", "Default: prod") + "Conditions:\n  IsProd: !Equals [!Ref Stage, prod]\n"


@pytest.mark.parametrize(
    ("good", "other", "sizes"),
    [("10", "8", [2]), ("10", "900", [1]), ("10", "!Ref AWS::NoValue", [2])],
)
def test_both_branches_of_a_condition_count(state: State, good: str, other: str, sizes: list[int]) -> None:
    """Left out, the timeout is three seconds."""
    found = state(STAGE, f"Timeout: !If [IsProd, {good}, {other}]\n", "timeout_seconds")
    assert [said.size for said in found] == sizes


def test_a_condition_may_single_out_a_value_between_the_ends(state: State) -> None:
    head = parameter("Seconds", "Type: Number", "Default: 1", "MinValue: 1", "MaxValue: 10")
    head += "Conditions:\n  Seven: !Equals [!Ref Seconds, 7]\n"
    (said,) = state(head, "Timeout: !If [Seven, 900, 5]\n", "timeout_seconds")
    assert (said.value, said.size) == (5, 1)


def test_two_conditions_are_decided_together(state: State) -> None:
    head = STAGE + "  IsDev: !Equals [!Ref Stage, dev]\n"
    found = state(head, "Timeout: !If [IsProd, 10, !If [IsDev, 9, 8]]\n", "timeout_seconds")
    assert [said.size for said in found] == [2]


def test_conditions_that_matter_to_nothing_take_no_proof_away(state: State) -> None:
    names = [f"P{at}" for at in range(9)]
    head = "Parameters:\n" + "".join(f"  {name}: {{Type: String, Default: a}}\n" for name in names)
    head += "Conditions:\n" + "".join(f"  C{name}: !Equals [!Ref {name}, a]\n" for name in names)
    found = state(head, "Timeout: 10\n", "timeout_seconds")
    assert [said.size for said in found] == [2]


@pytest.mark.parametrize("how", ["assessed", "loaded"])
def test_whoever_asks_is_held_to_the_library(how: str, state: State, tmp_path: Path) -> None:
    """The command line and the public interface read evidence as these tests do."""
    state(parameter("Seconds", "Type: Number", "Default: 10"), TIMEOUT, "timeout_seconds")
    if how == "loaded":
        graph = threatmodel.load_model(tmp_path / "model.yaml")
    else:
        args = Namespace(model=Path("model.yaml"))
        graph = Invocation(args, Files(), pytest.fail).assessment().graph
    fact = graph.elements["bot"].facts["timeout_seconds"]
    assert (fact.value, fact.size) == (10, 1)


def test_a_default_is_named_that_decides_a_condition_and_no_other(state: State) -> None:
    """In the worlds in which another parameter is open, the condition is as its own parameter decides it."""
    head = parameter("Stage", "Type: String", "Default: dev") + "  Other: {Type: String, Default: x}\n"
    head += "Conditions:\n  Slow: !Equals [!Ref Stage, prod]\n"
    (said,) = state(head, "Timeout: !If [Slow, 900, 10]\n", "timeout_seconds")
    assert (said.value, said.size, said.defaults) == (10, 1, ("Stage",))


SERVERLESS = """\
service: shop
provider: {name: aws, runtime: python3.13}
functions:
  order-bot:
    handler: app.handler
"""


def test_a_name_that_a_world_changes_hides_no_element(tmp_path: Path, ways: Directions, monkeypatch: Monkey) -> None:
    """The framework's names hold the stage, which a deployment may choose: the function is the same one each time."""
    model = MODEL.replace("bot", "order-bot").replace("{template: template.yaml, resources: {order-bot: Bot}}", "{}")
    (tmp_path / "model.yaml").write_text(model.replace("{}", "{serverless: serverless.yml}"), encoding="utf-8")
    (tmp_path / "serverless.yml").write_text(SERVERLESS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    files = Files()
    evidence, _ = collected(load_model(files, Path("model.yaml")), files, ways)
    (said,) = evidence["order-bot"]["runtime"]
    assert (said.value, said.source, said.defaults) == ("python3.13", "template", ())


def test_a_resource_that_is_there_in_one_world_alone_proves_nothing(
    tmp_path: Path, ways: Directions, monkeypatch: Monkey
) -> None:
    """Where another one takes its name and its place in another world, that one is not the element for it."""
    head = "Parameters:\n  Env: {Type: String, Default: dev, AllowedValues: [dev, prod]}\n"
    head += "Conditions:\n  Dev: {'Fn::Equals': [{Ref: Env}, dev]}\n  Prod: {'Fn::Not': [{Condition: Dev}]}\n"
    body = FUNCTION + "    FunctionName: order-bot\n"
    both = [body.replace("Bot:", f"{name}:\n  Condition: {name}", 1) for name in ("Dev", "Prod")]
    both[1] = both[1].replace("python3.13", "python3.6")
    (tmp_path / "template.yaml").write_text(head + "Resources:\n" + indent("".join(both), "  "), encoding="utf-8")
    model = MODEL.replace("bot", "order-bot").replace(", resources: {order-bot: Bot}", "")
    (tmp_path / "model.yaml").write_text(model, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    files = Files()
    with contextlib.suppress(InputError):  # it may be either of them: to be asked is as good
        evidence, _ = collected(load_model(files, Path("model.yaml")), files, ways)
        said = evidence.get("order-bot", {}).get("runtime", ())
        assert not [one for one in said if one.value == "python3.13" and not one.defaults]
