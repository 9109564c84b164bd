"""docs/maintainers/mutants.md: how many mutants are caught by class and control, and each survivor with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import yaml

from scripts.mutation.judging import Outcome

CLASSES: Mapping[str, str] = {
    "remove": "the basis of the proof is removed",
    "flip": "a word or a yes/no has the opposite value",
    "bound": "an amount exceeds its limit",
    "scope-down": "it applies to a part only",
    "wrong-target": "it applies to another stage, resource or name",
    "wrong-region": "it applies in one Region only",
    "condition-never": "it has a condition that is never true",
    "condition-open": "it has a condition that a deployment decides",
    "condition-always": "a condition narrows nothing",
    "shadowed": "`AWS::NoValue`, a later key or a later rule undoes it",
    "unread": "an unread part may change it, or gives the value",
    "second-door": "there is another stage, route, URL or caller",
    "wider-principal": "more principals are allowed than it seems",
    "wider-rights": "a role has more permissions",
    "foreign-account": "it belongs to another account",
    "secret": "a secret is in plain text",
    "other-code": "the deployed code is not the probed code",
    "older": "the proof is old, or of another version",
    "word": "a statement or a parameter's default replaces the proof",
}
"""The classes of weakening, in words."""

_INTRODUCTION = """\
# Mutants

Mutants test whether a control is still called proven after the system gets weaker. Each mutant changes the evidence
of a system in one way that weakens the deployment. The systems are the default model (template, probe, model file,
parameters, library) and a small system as template, Terraform plan and serverless.yml. The rules that make mutants,
and the table of weaker values, are in `scripts/mutation/`, apart from the engine.

A mutant is caught if no control that it undoes is still proven, or if the input is rejected. If only a statement hides
something, it is caught if `check` names what is hidden. `scripts/mutants.py --write` writes this page, and `--show ID`
prints the change of one mutant. [readings.md](readings.md) has the effects of single changes to the template.

{judged}: **{caught} of {made}** are caught{survive}.
"""


@cache
def reasons() -> Mapping[str, str]:
    """Why a survivor may survive, by the pattern of its id."""
    found = yaml.safe_load(Path(__file__).with_name("survivors.yaml").read_text(encoding="utf-8")) or {}
    return {pattern: str(why) for pattern, why in found.items()}


def why(outcome: Outcome) -> str:
    """Return why a survivor survives, '' if no reason is given."""
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
    yield from ("## Survivors", "")
    if not survivors:
        yield "Nothing."
    for one in survivors:
        yield f"- `{one.mutant.id}`: {', '.join(one.survivors)}. {why(one) or '**Not explained: a defect.**'}"
    yield ""


def _excluded(excluded: Mapping[str, int]) -> Iterator[str]:
    yield from ("## Changes that are not made", "", "Changes that weaken nothing are left out by rule:", "")
    yield from (
        f"- {count} {'time' if count == 1 else 'times'}: {reason}"
        for reason, count in sorted(excluded.items(), key=lambda one: -one[1])
    )
