"""docs/maintainers/mutants.md: by class and control how many are caught, and each survivor with why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from scripts.mutation.judging import Outcome

CLASSES: Mapping[str, str] = {
    "remove": "what carries the proof is taken away",
    "flip": "a word or a yes is its opposite",
    "bound": "an amount is beyond its bound",
    "scope-down": "it holds for a part only",
    "wrong-target": "it is about another stage, resource or name",
    "wrong-region": "it holds in one Region only",
    "condition-never": "it stands under a condition that never holds",
    "condition-open": "it stands under a condition that a deployment decides",
    "condition-always": "a condition narrows nothing",
    "shadowed": "`AWS::NoValue`, a later key or a later rule undoes it",
    "unread": "a part that nobody read may change it, or gives the value",
    "second-door": "another stage, route, URL or caller stands beside it",
    "wider-principal": "more may do it than seems",
    "wider-rights": "a role may do more",
    "foreign-account": "it belongs to somebody else",
    "secret": "a secret stands in the open",
    "other-code": "what is deployed is not what was probed",
    "older": "the proof is old, or of another version",
    "word": "somebody's word, or a parameter's default, stands in for the proof",
}
"""The classes of weakening, in words."""

_INTRODUCTION = """\
# Mutants

Does "proven" hold when the system is weaker than it looks? Each mutant changes the evidence of a system in one way that
makes what is deployed weaker: the default model's template, probe, model file, parameters and library, and one small
system as template, Terraform plan and serverless.yml. The rules that make them, and what is weaker than what, stand in
`scripts/mutation/`, apart from the engine. A mutant is caught if no control that it undoes is proven any more, if the
input is rejected, or, where only word hides something, if `check` names what is hidden. Written by
`scripts/mutants.py --write`; `--show ID` prints what one changes. What single changes to the template should move, and
do, is in [readings.md](readings.md).

{judged}: **{caught} of {made}** are caught{survive}.
"""


@cache
def reasons() -> Mapping[str, str]:
    """Why a survivor may survive, by the pattern of its id."""
    found = yaml.safe_load(Path(__file__).with_name("survivors.yaml").read_text(encoding="utf-8")) or {}
    return {pattern: str(why) for pattern, why in found.items()}


def why(outcome: Outcome) -> str:
    """Why a survivor survives, '' where nobody has said."""
    return next((said for pattern, said in reasons().items() if fnmatchcase(outcome.mutant.id, pattern)), "")


def needless(outcomes: Sequence[Outcome], patterns: Iterable[str]) -> list[str]:
    """The patterns of survivors.yaml that excuse a mutant which is caught, or none that was judged."""
    found = []
    for pattern in patterns:
        meant = [one for one in outcomes if fnmatchcase(one.mutant.id, pattern)]
        if not meant or any(one.caught for one in meant):
            found.append(pattern)
    return found


def unexplained(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The survivors for which there is no reason."""
    return [one for one in outcomes if not one.caught and not why(one)]


def page(outcomes: Sequence[Outcome], excluded: Mapping[str, int], every: int) -> str:
    """The page."""
    survivors = [one for one in outcomes if not one.caught]
    survive = f", {len(survivors)} survive; each is named below" if survivors else ""
    caught = len(outcomes) - len(survivors)
    some = f"; {len(outcomes):,}, every n-th of each class and system, were judged for this page"
    of_all = ", and all of them were judged for this page"
    judged = f"{every:,} mutants are made{some if len(outcomes) < every else of_all}"
    head = _INTRODUCTION.format(caught=f"{caught:,}", made=f"{len(outcomes):,}", judged=judged, survive=survive)
    return (
        "\n".join(
            (
                head,
                *_classes(outcomes),
                *_bases(outcomes),
                *_controls(outcomes),
                *_survivors(survivors),
                *_excluded(excluded),
            )
        )
        + "\n"
    )


def _table(title: str, first: str, rows: Mapping[str, list[Outcome]], words: Mapping[str, str]) -> Iterator[str]:
    yield from (
        f"## {title}",
        "",
        f"| {first} | made | caught | rejected | survive |",
        "| --- | --- | --- | --- | --- |",
    )
    for name, several in rows.items():
        caught, refused = sum(one.caught for one in several), sum(bool(one.refused) for one in several)
        shown = f"`{name}`: {words[name]}" if name in words else f"`{name}`"
        yield f"| {shown} | {len(several)} | {caught} | {refused} | {len(several) - caught} |"
    yield ""


def _classes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    rows = {name: [one for one in outcomes if one.mutant.weakening == name] for name in CLASSES}
    yield from _table("By class", "class", {name: found for name, found in rows.items() if found}, CLASSES)


def _bases(outcomes: Sequence[Outcome]) -> Iterator[str]:
    names = dict.fromkeys(one.mutant.base for one in outcomes)
    yield from _table("By system", "system", {n: [o for o in outcomes if o.mutant.base == n] for n in names}, {})


def _controls(outcomes: Sequence[Outcome]) -> Iterator[str]:
    made: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for one in outcomes:
        made.update({name.partition("@")[0] for name in one.mutant.weakens})
        lost.update({name.partition("@")[0] for name in one.survivors if name in one.mutant.weakens})
    yield from ("## By control", "", "| control | made | caught |", "| --- | --- | --- |")
    yield from (
        f"| [`{name}`](../library/README.md) | {made[name]} | {made[name] - lost[name]} |" for name in sorted(made)
    )
    yield ""


def _survivors(survivors: Sequence[Outcome]) -> Iterator[str]:
    yield from ("## What survives", "")
    if not survivors:
        yield "Nothing."
    for one in survivors:
        yield f"- `{one.mutant.id}`: {', '.join(one.survivors)}. {why(one) or '**Not explained: a defect.**'}"
    yield ""


def _excluded(excluded: Mapping[str, int]) -> Iterator[str]:
    yield from ("## What is not made", "", "Changes that weaken nothing are left out by rule:", "")
    yield from (f"- {count} times: {reason}" for reason, count in sorted(excluded.items(), key=lambda one: -one[1]))
