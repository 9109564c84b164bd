"""What stands before an element, and what lies ahead of it: compared with a walk that tries every way."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support import graph_of
from threatmodel.graph.before import Before
from threatmodel.graph.members import Lists, Member, Members
from threatmodel.model.facts import Origin, Statement, stated

SOURCES: tuple[Origin, ...] = ("model", "template")


def calls(rng: random.Random, functions: list[str]) -> Mapping[str, Lists]:
    """Functions of which each calls some others, by word or by evidence."""
    found: dict[str, Lists] = {}
    for function in functions:
        called = [Member(one, stated(Statement(one, rng.choice(SOURCES), None))) for one in rng.sample(functions, 2)]
        found[function] = {"invokes": Members(tuple(called), Statement((), "model", None), None)}
    return found


def every_way(lists: Mapping[str, Lists], source: str, size: int, seen: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Each way ahead of a function that takes no function twice: where it leads, and the size of its weakest step."""
    for called, fact in lists[source]["invokes"].known:
        yield called, min(size, fact.size)
        if called not in seen:
            yield from every_way(lists, called, min(size, fact.size), seen | {called})


@pytest.mark.parametrize("seed", range(60))
def test_the_best_of_all_ways_is_found(seed: int) -> None:
    rng = random.Random(seed)
    functions = [f"f{number}" for number in range(6)]
    lists = calls(rng, functions)
    before = Before(lists, lists)
    sources = {one: Statement(True, rng.choice(SOURCES), None) for one in rng.sample(functions, 2)}
    expected: dict[str, int] = {}
    for source, said in sources.items():
        for at, size in every_way(lists, source, said.size, frozenset()):
            expected[at] = max(expected.get(at, 0), size)
    assert {one: said.size for one, said in before.best_ways(sources).items()} == expected
    assert before.first_before(sources).keys() == expected.keys()
    first, second = sources
    led = {at for at, _ in every_way(lists, first, 2, frozenset())}
    assert before.first_before(sources) == {at: first if at in led else second for at in expected}


@pytest.mark.parametrize("closed", [False, True], ids=["a chain", "a circle"])
def test_thousands_of_calls_are_walked_once(tmp_path: Path, *, closed: bool) -> None:
    many = 3000
    lines = ["  f0: {triggers: [{http: GET}], reads: [], invokes: [f1]}"]
    lines += [f"  f{n}: {{triggers: [], reads: [], invokes: [f{n + 1}]}}" for n in range(1, many - 1)]
    lines += [f"  f{many - 1}: {{triggers: [], reads: []" + (", invokes: [f0]}" if closed else "}")]
    begun = time.process_time()
    graph = graph_of(tmp_path, "name: S\napis: {api: {}}\nfunctions:\n" + "\n".join(lines) + "\n")
    taken = time.process_time() - begun
    told = [graph.elements[f"f{n}"].facts["called_by_unverified"].value for n in range(many)]
    assert told == [closed] + [True] * (many - 1)
    assert taken < 5, "a second of processor time; 6 and 13 where each function walks all ways back by itself"
