"""The condition language: against a naive evaluator, and against whatever text comes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threatmodel.library.condition import (
    LONGEST,
    Always,
    And,
    Condition,
    ConditionError,
    Leaf,
    Not,
    Or,
    Tree,
    compile_condition,
    leaves,
    mutants,
    parse,
    shown,
)
from threatmodel.model.facts import Fact, Statement
from threatmodel.model.vocabulary import FACTS, KINDS, Kind
from threatmodel.reading.shape import Flag, Number, Word

# --- trees, their text and facts at random

FLAGS = [name for name, row in FACTS["function"].items() if isinstance(row.shape, Flag)][:3]
NUMBERS = ["timeout_seconds", "reserved_concurrency"]
WORDS = {"code_signing": ("enforce", "warn", "none"), "egress": ("open", "restricted", "none")}
CLASSES = ("public", "internal", "confidential", "secret")

_numbers = st.integers(1, 5)
_flag_leaves = st.sampled_from(FLAGS).map(Leaf)
_flag_tests = st.builds(
    Leaf, st.sampled_from(FLAGS), st.sampled_from(["==", "!="]), st.sampled_from([True, False, None])
)
_number_tests = st.builds(Leaf, st.sampled_from(NUMBERS), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), _numbers)
_order_tests = st.builds(
    Leaf, st.just("data_classification"), st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.sampled_from(CLASSES)
)
_word_tests = st.sampled_from(sorted(WORDS)).flatmap(
    lambda name: st.builds(
        Leaf,
        st.just(name),
        st.sampled_from(["in", "not in"]),
        st.lists(st.sampled_from([*WORDS[name], None]), min_size=1, max_size=3).map(tuple),
    )
)
LEAVES = st.one_of(_flag_leaves, _flag_tests, _number_tests, _order_tests, _word_tests, st.just(Always()))
TREES: st.SearchStrategy[Tree] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)

_values: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(FLAGS, st.sampled_from([True, False, None])),
    **dict.fromkeys(NUMBERS, st.one_of(_numbers, st.none())),
    **{name: st.sampled_from([*words, None]) for name, words in WORDS.items()},
    "data_classification": st.sampled_from([*CLASSES, None]),
}
_facts = st.fixed_dictionaries(
    {},
    optional={
        name: st.builds(
            lambda value, size: Fact(value, size, Statement(value, "model" if size < 2 else "aws", None)),
            values,
            st.sampled_from([0, 1, 2]),
        )
        for name, values in _values.items()
    },
)


def printed(tree: Tree) -> str:
    """A tree as the text that an author would write, in brackets where they are needed."""
    match tree:
        case Always():
            return "true"
        case Leaf(fact, ""):
            return f"target.{fact}"
        case Leaf(fact, test, constant):
            return f"target.{fact} {test} {shown(constant)}"
        case Not(part):
            return f"not {_bracketed(part)}"
        case And(parts):
            return " and ".join(_bracketed(part) for part in parts)
        case Or(parts):
            return " or ".join(_bracketed(part) for part in parts)


def _bracketed(tree: Tree) -> str:
    return f"({printed(tree)})" if isinstance(tree, And | Or) else printed(tree)


def naive(tree: Tree, facts: Mapping[str, Fact]) -> bool | None:
    """Kleene's logic as a textbook has it: true, false, or None for unknown."""
    match tree:
        case Always():
            return True
        case Not(part):
            inner = naive(part, facts)
            return None if inner is None else not inner
        case And(parts):
            values = [naive(part, facts) for part in parts]
            return False if False in values else None if None in values else True
        case Or(parts):
            values = [naive(part, facts) for part in parts]
            return True if True in values else None if None in values else False
        case Leaf(name, test, constant):
            fact = facts.get(name)
            return None if fact is None or fact.size == 0 else _naive_test(name, test, fact.value, constant)


def _naive_test(name: str, test: str, value: Any, constant: Any) -> bool:
    if test == "":
        return value is True
    if test in {"==", "!="}:
        return bool(value == constant) is (test == "==")
    if test in {"in", "not in"}:
        return (value in list(constant)) is (test == "in")
    if value is None:
        return False
    if name == "data_classification":
        value, constant = CLASSES.index(value), CLASSES.index(constant)
    return bool({"<": value < constant, "<=": value <= constant, ">": value > constant, ">=": value >= constant}[test])


@given(TREES)
def test_printed_tree_is_read_back(tree: Tree) -> None:
    text = printed(tree)
    if len(text) <= LONGEST:
        assert parse(text, "function") == tree


@given(TREES, _facts)
def test_truth_agrees_with_a_naive_evaluator(tree: Tree, facts: dict[str, Fact]) -> None:
    truth = Condition("", "function", tree).truth(facts)
    assert {1: True, 0: None, -1: False}[(truth > 0) - (truth < 0)] is naive(tree, facts)


@given(TREES, _facts)
def test_truth_is_no_better_known_than_its_reasons(tree: Tree, facts: dict[str, Fact]) -> None:
    condition = Condition("", "function", tree)
    truth = condition.truth(facts)
    sizes = [fact.size if fact is not None else 0 for _, fact in condition.why(facts)]
    if truth == 0:
        assert sizes
        assert set(sizes) == {0}
    else:
        assert abs(truth) in {2, *sizes}


@pytest.mark.slow
@given(TREES, _facts)
def test_reasons_alone_decide(tree: Tree, facts: dict[str, Fact]) -> None:
    """What is not among the reasons may be forgotten without changing the answer."""
    condition = Condition("", "function", tree)
    reasons = {leaf.fact for leaf, _ in condition.why(facts)}
    kept = {name: fact for name, fact in facts.items() if name in reasons}
    assert (condition.truth(kept) > 0) == (condition.truth(facts) > 0)
    assert (condition.truth(kept) < 0) == (condition.truth(facts) < 0)


@given(TREES, _facts, st.sampled_from(sorted(_values)))
def test_learning_a_fact_never_turns_an_answer_round(tree: Tree, facts: dict[str, Fact], forgotten: str) -> None:
    condition = Condition("", "function", tree)
    before = condition.truth({name: fact for name, fact in facts.items() if name != forgotten})
    after = condition.truth(facts)
    assert before * after >= 0
    assert before == 0 or after != 0


def _as_stated(facts: dict[str, Fact], *, firm: bool) -> dict[str, Fact]:
    """Facts as they stand without a doubt, or only what nothing puts in doubt."""
    counted = {name: fact.firm if firm and fact.in_doubt else fact for name, fact in facts.items()}
    return {name: fact._replace(in_doubt=False) for name, fact in counted.items() if fact is not None}


_doubted = st.builds(
    lambda facts, others, names: {
        name: fact._replace(in_doubt=fact.size > 0 and name in names, firm=others.get(name))
        for name, fact in facts.items()
    },
    _facts,
    _facts,
    st.sets(st.sampled_from(sorted(FACTS["function"]))),
)


@given(TREES, _doubted, st.booleans())
def test_a_doubt_proves_nothing_and_hides_nothing(tree: Tree, facts: dict[str, Fact], reassures: bool) -> None:
    """What reassures holds both as it stands and without what is in doubt; what alarms holds in either."""
    condition = Condition("", "function", tree, reassures)
    truth, wish = condition.truth(facts), 1 if reassures else -1
    both = [condition.truth(_as_stated(facts, firm=firm)) for firm in (False, True)]
    assert truth * wish <= min(one * wish for one in both)
    if not truth:
        assert all(fact is None or not fact.size for _, fact in condition.why(facts))


@pytest.mark.slow
@given(TREES)
def test_mutants_are_other_trees(tree: Tree) -> None:
    found = list(mutants(tree))
    assert all(changed != tree for _, changed in found)
    assert len(found) >= len(list(leaves(tree)))


def test_facts_of_a_condition() -> None:
    condition = compile_condition("target.in_vpc or not target.egress in ['none']", "function")
    assert condition.facts == {"in_vpc", "egress"}


# --- any text

ATTACKS = [
    "",
    " ",
    "true.__class__",
    "target.__class__",
    "target.__class__.__mro__[1].__subclasses__()",
    "target.in_vpc.__init__.__globals__",
    "__import__('os').system('id')",
    "exec('1')",
    "(lambda: target.in_vpc)()",
    "lambda: target.in_vpc",
    "[x for x in target.in_vpc]",
    "{x: 1 for x in 'a'}",
    "any(x for x in [1])",
    "(x := target.in_vpc)",
    "f'{target.in_vpc}'",
    "target.in_vpc if true else target.in_vpc",
    "target.timeout_seconds == 9**9**9",
    "target.timeout_seconds == " + "9" * 370,
    "target.timeout_seconds == 1e999",
    "target.timeout_seconds == 1j",
    "target.timeout_seconds == True",
    "target.timeout_seconds == 1and target.in_vpc",
    "target.timeout_seconds == 0x10",
    "target.timeout_seconds == 1_0",
    "target.in_vpc == 1",
    "target.runtime == b'python3.13'",
    "target.runtime == 'a' 'b'",
    "target.runtime == '\\x61'",
    "target.runtime == '" + "a" * 300 + "'",
    "target.runtime in []",
    "target.runtime in {'python3.13': 1}",
    "target.runtime in target.runtime",
    "target.runtime == ...",
    "target['in_vpc']",
    "target",
    "in_vpc",
    "self.in_vpc",
    "true == true",
    "True",
    "None",
    "not",
    "await target.in_vpc",
    "yield target.in_vpc",
    "*target.in_vpc",
    "target.in_vpc; target.in_vpc",
    "target.in_vpc # and target.egress",
    "target.in_vpc \\",
    "target.in_vpc\x0cor target.egress",
    "target.in_vpc\x00",
    "target.\uff49n_vpc",
    "t\u0430rget.in_vpc",
    "target.in_vpc\u2028or true",
    "\ud800",
    "target.runtime == '\U0001f4a3'",
    "(" * 200 + "true" + ")" * 200,
    "not " * 98 + "true or 1",
    "-" * 399 + "1",
    "~" * 399 + "1",
    "target" + ".a" * 190,
    "a" + "[a" * 99 + "]" * 99,
    "true or " * 49 + "1()",
    "[" * 200,
    "{" * 200,
    "x" * 5000,
]


@pytest.mark.parametrize("text", ATTACKS)
def test_attack_is_refused(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConditionError) as caught:
            compile_condition(text, "function")
    assert 0 <= caught.value.column <= len(text)
    assert caught.value.code in {"wrong-condition", "wrong-type", "unknown-word", "unknown-fact"}


@pytest.mark.parametrize("text", ["not " * 98 + "true", "(" * 90 + "true" + ")" * 90, "true and " * 43 + "true"])
def test_long_condition_is_read(text: str) -> None:
    assert compile_condition(text, "function").truth({}) == 2


PIECES = st.sampled_from(
    [
        *"()[]{}<>=!.,:;'\"#\\@~-+*/%&|^ 0123456789",
        *("target.", "in_vpc", "runtime", "timeout_seconds", "true", "True", "None", "null", "__", "lambda "),
        *(" and ", " or ", "not ", " in ", " is ", " if ", " else ", "==", "<=", "'zip'", ":="),
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=30).map("".join)), st.sampled_from(KINDS))
def test_any_text_is_a_condition_or_refused(text: str, kind: Kind) -> None:
    try:
        found: Condition | None = compile_condition(text, kind)
    except ConditionError as error:
        found, column = None, error.column
    else:
        column = 0
    assert 0 <= column <= len(text)
    if found is not None:
        assert found.facts <= FACTS[kind].keys()
        assert found.truth({}) in {0, 2, -2}


# --- what is allowed of which fact


@pytest.mark.parametrize(
    "text",
    [
        "target.in_vpc",
        "target.in_vpc == True",
        "target.in_vpc != None",
        "target.timeout_seconds >= 900",
        "target.reserved_concurrency == None",
        "target.runtime in ['python3.13', 'python3.99']",
        "target.code_signing not in ('warn', None)",
        "target.data_classification >= 'confidential'",
    ],
)
def test_allowed(text: str) -> None:
    assert compile_condition(text, "function").text == text


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("target.in_vcp", "unknown-fact", 7),
        ("target.in_vpc and target.runtime", "wrong-type", 18),
        ("target.in_vpc == 'yes'", "wrong-type", 17),
        ("target.in_vpc < True", "wrong-type", 16),
        ("target.timeout_seconds < 'a'", "wrong-type", 25),
        ("target.timeout_seconds < 901", "wrong-type", 25),
        ("target.timeout_seconds < 1.5", "wrong-type", 25),
        ("target.timeout_seconds < None", "wrong-type", 25),
        ("target.timeout_seconds in [1, 'a']", "wrong-type", 30),
        ("target.code_signing < 'warn'", "wrong-type", 22),
        ("target.code_signing == 'wran'", "unknown-word", 23),
        ("target.runtime == 'no such runtime'", "unknown-word", 18),
        ("target.data_classification > 'top'", "unknown-word", 29),
        ("1 < target.timeout_seconds < 2", "wrong-condition", 0),
        ("target.in_vpc is True", "wrong-condition", 0),
        ("target.in_vpc or", "wrong-condition", 16),
        ("target.in_vpc)", "wrong-condition", 13),
    ],
)
def test_refused_at_its_column(text: str, code: str, column: int) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, "function")
    assert (caught.value.code, caught.value.column) == (code, column)


def test_each_kind_has_facts_of_its_own() -> None:
    assert compile_condition("target.guardduty", "account").kind == "account"
    with pytest.raises(ConditionError, match="'guardduty' is not a fact of a function"):
        compile_condition("target.guardduty", "function")


@pytest.mark.parametrize("kind", KINDS)
def test_every_fact_can_be_read(kind: Kind) -> None:
    for name, row in FACTS[kind].items():
        match row.shape:
            case Flag():
                text = f"target.{name}"
            case Number(low):
                text = f"target.{name} >= {low}"
            case Word(words):
                text = f"target.{name} == {words[0]!r}"
            case _:
                raise AssertionError(row)
        assert compile_condition(text, kind).facts == {name}
