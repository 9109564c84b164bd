"""Our engine is held to pytm's: the same threats, on the same elements, whatever the facts are."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import HOME, graph_of
from threatmodel.graph.building import build
from threatmodel.graph.elements import Element, Flow, Graph
from threatmodel.library.condition import Always, And, Condition, Leaf, Not, Or, Tree, compile_condition
from threatmodel.library.entries import SCENARIOS, Article, Library, Numbered, Threat
from threatmodel.library.load import load_library
from threatmodel.model.facts import Fact, Statement
from threatmodel.model.load import load_model
from threatmodel.model.vocabulary import FACTS, KINDS, FactRow, Kind
from threatmodel.pytm_model.model import to_pytm
from threatmodel.pytm_model.terms import terms
from threatmodel.reading.files import Files
from threatmodel.reading.problems import Place
from threatmodel.reading.shape import Flag, Number, Word

pytestmark = pytest.mark.slow

Pairs = set[tuple[str, str]]
ROUNDS = 20


# --- made at random, from a seed


def threat_of(name: str, applies: dict[str, Condition]) -> Threat:
    return Threat(
        id=name,
        title=name,
        scenario=SCENARIOS[0],
        targets=tuple(kind for kind in KINDS if kind in applies),
        applies=applies,
        stride=("spoofing",),
        likelihood=3,
        impact=3,
        why="because",
        links=(),
        reaches="",
        by_provider=False,
        first=False,
        maps={},
        references=(),
        place=Place("threat.yaml"),
    )


def library_of(threats: list[Threat]) -> Library:
    scenarios = tuple(Numbered(id=name, number=1, title=name, says=name, gaps=(), answers={}) for name in SCENARIOS)
    article = Article(name="article", source="here", scenarios=scenarios, mitigations=())
    return Library(threats={threat.id: threat for threat in threats}, controls={}, article=article)


def random_value(row: FactRow, chance: random.Random, *, null: bool = True) -> Any:
    """A legal value of a fact; null as often as any word."""
    match row.shape:
        case Flag():
            values: list[Any] = [True, False]
        case Number(low, high):
            values = [low, high, min(high, low + 1), chance.randint(low, high)]
        case Word(words):
            values = list(words)
        case _:
            raise AssertionError(row)
    return chance.choice([*values, None] if null and row.nullable else values)


def random_leaf(kind: str, chance: random.Random) -> Tree:
    row = chance.choice(list(FACTS[kind].values()))
    flag, ordered = isinstance(row.shape, Flag), isinstance(row.shape, Word) and row.shape.ordered
    tests = ["==", "!=", "in", "not in"]
    if flag:
        tests.append("")
    if ordered or isinstance(row.shape, Number):
        tests += ["<", "<=", ">", ">="] * 2
    test = chance.choice(tests)
    if not test:
        return Leaf(row.name)
    if test in {"in", "not in"}:
        return Leaf(row.name, test, tuple(random_value(row, chance) for _ in range(chance.randint(1, 3))))
    return Leaf(row.name, test, random_value(row, chance, null=test in {"==", "!="}))


def random_tree(kind: str, chance: random.Random, depth: int = 3) -> Tree:
    if depth == 0 or chance.random() < 0.3:
        return Always() if chance.random() < 0.1 else random_leaf(kind, chance)
    if chance.random() < 0.3:
        return Not(random_tree(kind, chance, depth - 1))
    parts = tuple(random_tree(kind, chance, depth - 1) for _ in range(chance.randint(2, 3)))
    return And(parts) if chance.random() < 0.5 else Or(parts)


def random_library(chance: random.Random) -> Library:
    """Threats of one kind and of several, which may share a class in pytm or not."""
    threats = []
    for number in range(40):
        kinds = chance.sample(KINDS, chance.choice([1, 1, 2, 3]))
        threats.append(
            threat_of(f"t-{number}", {kind: Condition("", kind, random_tree(kind, chance)) for kind in kinds})
        )
    return library_of([threat_of("always", {kind: compile_condition("true", kind) for kind in KINDS}), *threats])


def random_model(chance: random.Random) -> str:
    """A model that states some relations and facts and leaves others out."""
    lines = ["name: made at random", "data: {a: {classification: secret}, b: {classification: public, personal: true}}"]
    lines += ["apis: {gate: {kind: http}, door: {}}", "stores: {table: {holds: [a, b]}, bucket: {kind: s3}}"]
    lines += ["queues: {line: {kind: sqs, holds: []}}", "secrets: {key: {grants: slack-api}, pin: {}}"]
    lines += ["externals: {shop: {}}", "functions:"]
    relations = {
        "triggers": ["[]", "[{slack: events, api: gate}, {queue: line}]", "[{http: GET, api: door}]"],
        "reads": ["[]", "[table, bucket]"],
        "writes": ["[table]"],
        "sends": ["[line]"],
        "secrets": ["[key]", "[key, pin]"],
        "calls": ["[slack, shop]"],
    }
    for number in range(chance.randint(1, 3)):
        stated = [f"{name}: {chance.choice(words)}" for name, words in relations.items() if chance.random() < 0.6]
        stated += ["out_of_scope: not ours"] if chance.random() < 0.2 else []
        facts = [row for row in FACTS["function"].values() if not row.derived and chance.random() < 0.3]
        stated += [f"{row.name}: {in_yaml(random_value(row, chance))}" for row in facts]
        lines.append(f"  f-{number}: {{{', '.join(stated)}}}")
    lines += ["pipeline: {auth: oidc}"] if chance.random() < 0.5 else []
    return "\n".join(lines)


def in_yaml(value: object) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def filled(graph: Graph, chance: random.Random) -> Graph:
    """The graph with a legal value, null among them, for every fact that is not known."""

    def facts_of(target: Element | Flow) -> dict[str, Fact]:
        facts = dict(target.facts)
        for row in FACTS[target.kind].values() if target.kind else ():
            if row.name not in facts or not facts[row.name].size:
                value = random_value(row, chance)
                facts[row.name] = Fact(value, 1, Statement(value, "model", None))
        return facts

    return replace(
        graph,
        elements={e.id: replace(e, facts=facts_of(e), described=True) for e in graph.elements.values()},
        flows={f.id: replace(f, facts=facts_of(f)) for f in graph.flows.values()},
    )


# --- the two answers


def truths(graph: Graph, library: Library) -> dict[tuple[str, str], int]:
    """Our answer for every threat to every element in scope: above 0 it applies, 0 is undetermined."""
    return {
        (target.id, threat.id): threat.applies[target.kind].truth(target.facts) if target.described else 0
        for target in graph.targets()
        if not target.out_of_scope
        for threat in library.threats.values()
        if target.kind in threat.targets
    }


def ours(graph: Graph, library: Library) -> Pairs:
    return {pair for pair, truth in truths(graph, library).items() if truth > 0}


def of_pytm(graph: Graph, library: Library) -> Pairs:
    """What pytm's own check() and resolve() find."""
    model = to_pytm(graph, library)
    model.check()
    model.resolve()
    return {(finding.element.element_id, finding.threat_id) for finding in model.findings}


def hold_to_pytm(graph: Graph, library: Library, chance: random.Random) -> None:
    """Twenty fillings, and none."""
    before = truths(graph, library)
    found = of_pytm(graph, library)
    for pair, truth in before.items():
        assert not truth or (truth > 0) == (pair in found), pair
    assert found <= before.keys()
    for _ in range(ROUNDS):
        whole = filled(graph, chance)
        after = truths(whole, library)
        assert 0 not in after.values()
        assert of_pytm(whole, library) == ours(whole, library)
        assert all((after[pair] > 0) == (truth > 0) for pair, truth in before.items() if truth)


@cache
def real_library() -> Library:
    return load_library(HOME / "threatlib")


MODELS = [p for p in sorted((HOME / "models").glob("*.yaml")) if "\nfunctions:" in p.read_text(encoding="utf-8")]


def seeded(seed: int | str) -> random.Random:
    return random.Random(seed)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_pytm_finds_what_we_find_in_every_model(path: Path) -> None:
    hold_to_pytm(build(load_model(Files(), path)), real_library(), seeded(path.name))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_pytm_finds_what_we_find_under_any_conditions(path: Path) -> None:
    chance = seeded(path.name)
    hold_to_pytm(build(load_model(Files(), path)), random_library(chance), chance)


@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(one, marks=pytest.mark.long) for one in (3, 4, 5))])
def test_pytm_finds_what_we_find_in_models_made_at_random(seed: int, tmp_path: Path) -> None:
    chance = seeded(seed)
    hold_to_pytm(graph_of(tmp_path, random_model(chance)), random_library(chance), chance)


def linked(library: Library) -> Library:
    """A threat for each link with a condition, which applies where the link has its effect."""
    links = ((threat, link) for threat in library.threats.values() for link in threat.links if link.conditions)
    return library_of([threat_of(f"{threat.id}--{link.control}", dict(link.conditions)) for threat, link in links])


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_pytm_finds_each_effect_where_we_do(path: Path) -> None:
    library = real_library()
    links = linked(library)
    assert links.threats
    graph = build(load_model(Files(), path))
    hold_to_pytm(graph, links, seeded(path.name))
    rules = {rule.id: rule.fields for part in (library, links) for rule in terms(graph, part).rules}
    for name in links.threats:
        mitigations, condition = rules[name.partition("--")[0]]["mitigations"], rules[name]["condition"]
        assert f", if {condition})" in str(mitigations)


def test_ordered_words_and_null_do_not_follow_the_alphabet(tmp_path: Path) -> None:
    """confidential < internal < public < secret by the alphabet; None < 5 raises, and pytm takes that for a no."""
    text = """\
        name: x
        data: {a: {classification: internal}}
        stores: {table: {holds: [a]}}
        functions: {bot: {triggers: [], writes: [table], reserved_concurrency: null}}
        """
    conditions: dict[str, tuple[Kind, str]] = {
        "below": ("store", "target.data_classification < 'confidential'"),
        "least": ("store", "target.data_classification < 'public'"),
        "few": ("function", "not target.reserved_concurrency >= 5"),
        "none": ("function", "target.reserved_concurrency == None"),
        "some": ("function", "target.reserved_concurrency in [None, 7]"),
    }
    library = library_of(
        [threat_of(name, {kind: compile_condition(text, kind)}) for name, (kind, text) in conditions.items()]
    )
    expected = {("table", "below"), ("bot", "few"), ("bot", "none"), ("bot", "some")}
    graph = graph_of(tmp_path, text)
    assert ours(graph, library) == expected
    assert of_pytm(graph, library) == expected
