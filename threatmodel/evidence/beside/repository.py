"""A checkout as statements about the pipeline: what alarms is evidence, what reassures a statement.

A file shows what a pipeline does wrong wherever it runs.  That it does something right holds only while this file is
what runs, unchanged and on the branch that is deployed, and no file shows that.  What is not there proves nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.beside.folder import Folder
from threatmodel.beside.repository.checkout import Checkout, checkout
from threatmodel.beside.repository.files import LOCKS
from threatmodel.beside.repository.workflow import Sighting
from threatmodel.evidence.beside.kinds import Found, by_direction, visible_secrets
from threatmodel.graph.elements import LeftOpen, Read
from threatmodel.model.facts import Statement, Statements

PIPELINE = "pipeline"


class _Rule(NamedTuple):
    """What sightings say of a fact: `value` where there is one of `topic`.

    `without` are topics that each rule it out: a value that follows from all files needs all of them read (`whole`).
    """

    value: Any
    topic: str
    without: tuple[str, ...] = ()
    whole: bool = False


_YES, _NO = True, False

_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "auth": (
        _Rule("static-keys", "long-lived-keys"),
        _Rule("oidc", "oidc", ("long-lived-keys",), whole=True),
    ),
    "runs_untrusted_changes": (_Rule(_YES, "runs-changes"),),
    "keeps_state": (_Rule(_YES, "keeps-state"),),
    "repository_hosted": (_Rule(_YES, "hosted"),),
    "uses_third_party_actions": (_Rule(_YES, "of-others"),),
    "actions_pinned": (
        _Rule(_NO, "unpinned"),
        _Rule(_YES, "of-others", ("unpinned", "maybe-unpinned"), whole=True),
    ),
    "dependencies_locked": (
        _Rule(_NO, "unlocked"),
        _Rule(_YES, "locked", ("unlocked", "locks-unread")),
    ),
    "dependency_scanning": (_Rule(_YES, "scans-dependencies"),),
    "static_analysis": (_Rule(_YES, "scans-code"),),
    "template_scanning": (_Rule(_YES, "scans-templates"),),
    "ai_agents_change_code": (_Rule(_YES, "ai-agent"),),
    "ai_agents_restricted": (_Rule(_NO, "ai-agent-pushes"),),
    "deployed_code_compared": (_Rule(_YES, "compares"),),
    "state_access_restricted": (_Rule(_NO, "state-in-checkout"),),
}
"""What each fact of the pipeline follows from, the rules in order: the first that holds counts."""

_SIGNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "runs_untrusted_changes": (("may-run-changes", "{}"),),
    "actions_pinned": (("maybe-unpinned", "{}"),),
    "dependencies_locked": (("locks-unread", "it {}"),),
    "dependency_scanning": (("reports-scans-dependencies", "it {}, which may report only"),),
    "static_analysis": (("reports-scans-code", "it {}, which may report only"),),
    "template_scanning": (("reports-scans-templates", "it {}, which may report only"),),
    "secret_scanning": (
        ("scans-secrets", "it {} after the push, and only the host can reject a push"),
        ("reports-scans-secrets", "it {} after the push, and only the host can reject a push"),
    ),
    "production_approval": (
        ("environment", "only the host shows whether the environment {} waits for approval (host:)"),
    ),
    "deployed_code_compared": (("may-compare", "{}, which may not run daily, not fail, or not compare code"),),
    "auth": (("deploys", "{}, and no file shows its credentials"),),
    "keeps_state": (("deploys", "{}"),),
    **dict.fromkeys(("required_reviews", "branch_protected"), (("hosted", "only the host shows its rules (host:)"),)),
}
"""What is only a sign of a fact, in words around the sighting's: it decides nothing, and shortens the question."""


def state(found: Found) -> tuple[Statements, Read]:
    """Return what a checkout states of the pipeline, and what was read."""
    folder: Folder = found.opened
    seen = checkout(folder.texts, lambda name: folder.place(name).file, folder.noticed)
    unread = [*folder.unread, *seen.unread]
    whole = not unread and not seen.of("other-pipeline")
    statements: dict[str, list[Statement]] = {}
    for fact, rules in _RULES.items():
        fitting = (one for one in rules if seen.of(one.topic) and not any(map(seen.of, one.without)))
        rule = next((one for one in fitting if whole or not one.whole), None)
        if rule is not None:
            said = _statement(rule.value, seen.of(rule.topic))
            statements[fact] = by_direction(PIPELINE, fact, said, found.ways, "checkout")
    left_open = (one for fact, one in _left_open(seen) if fact not in statements)
    written = {name: text for name, text in folder.texts.items() if posixpath.basename(name) not in LOCKS}  # by people
    read = Read(
        file=f"{folder.path}/",
        kind=found.source.kind,
        elements={PIPELINE: ", ".join(seen.looked)},
        unread=(*unread, *folder.skipped),
        left_open=tuple(left_open),
        notes=tuple(visible_secrets(folder, {**written, **folder.data})),
    )
    return {PIPELINE: statements}, read


_MOST = 2


def _statement(value: Any, sightings: tuple[Sighting, ...]) -> Statement:
    """A statement with the line of the first sighting; its note has what was seen, and how often."""
    first = sightings[0]
    others = [f"{one.place.short}" for one in sightings[1:_MOST]]
    more = len(sightings) - 1 - len(others)
    also = f"; also {', '.join(others)}" if others else ""
    note = f"{first.shown}{also}{f' and {more} more' if more else ''}"
    return Statement(value, "repository", first.place, note)


def _left_open(seen: Checkout) -> Iterator[tuple[str, LeftOpen]]:
    """Yield the facts of which there is only a sign, each with its first one."""
    for fact, signs in _SIGNS.items():
        for topic, words in signs:
            for one in seen.of(topic)[:1]:
                yield fact, LeftOpen(PIPELINE, fact, words.format(one.shown), one.place, ())
