"""Answers of a repository's host as statements about the pipeline: evidence while they are recent.

Rules add up, so that one that is enough shows that a branch is protected, and only all of them show that it is not.  A
rule that may be bypassed, or is not in force, protects nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from threatmodel.beside.repository.host import Answers, Gate, Rule
from threatmodel.evidence.beside.kinds import Found
from threatmodel.graph.elements import LeftOpen, Read
from threatmodel.model.facts import Statement, Statements
from threatmodel.reading.problems import Place, listed, quoted

PIPELINE = "pipeline"
DAYS = 30
"""Days for which an answer is evidence: settings of a repository change with a click."""

_Said = Statement | LeftOpen


def state(found: Found) -> tuple[Statements, Read]:
    """Return what the answers state of the pipeline, and what was read."""
    answers: Answers = found.opened.value
    why = _doubt(answers, found.today)
    refused = answers.day is not None and found.today is not None and answers.day > found.today
    every = [] if refused else list(_said(answers))
    statements: dict[str, list[Statement]] = {}
    for fact, said in every:
        if isinstance(said, Statement):
            statements[fact] = [said._replace(stale=bool(why))]
    unread = [*answers.unread, *((quoted(one.short), _WISH, one) for one in answers.wishes)]
    read = Read(
        file=answers.file,
        kind=found.source.kind,
        elements={PIPELINE: listed(answers.repositories) or "a repository that the answers do not name"},
        unread=tuple(unread),
        left_open=tuple(said for _, said in every if isinstance(said, LeftOpen)),
        stale=why,
    )
    return {PIPELINE: statements}, read


_WISH = "this is what is sent to the host, and no answer of it; save the answer with `gh api --include`"


def _doubt(answers: Answers, today: datetime.date | None) -> str:
    """Why the answers count as statements; '' where they are evidence."""
    if len(answers.repositories) > 1:
        return f"it has answers of several repositories: {listed(answers.repositories)}; keep those of one"
    if answers.day is None:
        return "it does not say when the host answered; save it with `gh api --include`"
    if today is None:
        return ""
    age = (today - answers.day).days
    if age < 0:
        return f"it is of {answers.day}, which is in the future: it is not used; save it again"
    return f"it is {age} days old, and counts as evidence for {DAYS}; save it again" if age > DAYS else ""


def _said(answers: Answers) -> Iterator[tuple[str, _Said]]:
    for place in list(answers.repositories.values())[:1]:
        yield "repository_hosted", _shown(value=True, place=place, note="the host answers for it")
    yield from _branch(answers)
    yield from _approval(answers)
    for fact, places, note in (
        ("history_scanned", answers.open_alerts, "an alert of secret scanning is open"),
        ("code_host_access_limited", answers.pushing_keys, "a deploy key may push, and does not expire"),
        ("code_host_access_limited", answers.passwords_only, "the organization requires no second factor"),
    ):
        if places:
            yield fact, _shown(value=False, place=places[0], note=note)
    for one in answers.scanning:
        yield from _scanning(one.pushes, one.secrets, one.place)


def _shown(*, value: object, place: Place, note: str) -> Statement:
    return Statement(value, "host", place, note)


# --- the deployed branch


def _branch(answers: Answers) -> Iterator[tuple[str, _Said]]:
    """Whether the default branch accepts changes only by reviewed merge, and with how many approvals."""
    good = [one for one in answers.rules if not _weakness(one, answers)]
    weak = [(one, why) for one in answers.rules if (why := _weakness(one, answers))]
    if good:
        best = max(good, key=lambda one: one.reviews or 0)
        note = f"{best.name} asks for a reviewed merge, without bypass"
        yield "branch_protected", _shown(value=True, place=best.place, note=note)
        yield "required_reviews", _shown(value=best.reviews, place=best.place, note=best.name)
        return
    place = next(iter((*(one.place for one, _ in weak), *answers.unprotected)), None)
    shown = "; ".join(f"{one.name}: {why}" for one, why in weak)
    if place is None and not answers.effective:
        return
    asked = [reviews for reviews, _ in answers.effective if reviews is not None]
    known = bool(answers.unprotected or any(one.name == _PROTECTION for one in answers.rules))
    if known and answers.effective_whole and not asked:
        place = place or answers.effective_whole
        why = shown or "no rule asks for a reviewed merge"
        yield "branch_protected", _shown(value=False, place=place, note=why)
        yield "required_reviews", _shown(value=0, place=place, note=why)
        return
    place = place or answers.effective[0][1]
    why = f"{shown}; other rules may add to it" if shown else "it is not known who may bypass the rules"
    for fact in ("branch_protected", "required_reviews"):
        yield fact, LeftOpen(PIPELINE, fact, f"{why}: save all answers that docs/repository.md names", place, ())


_PROTECTION = "the branch protection"


def _weakness(rule: Rule, answers: Answers) -> str:
    """Why a rule does not protect the default branch; '' where it does."""
    if rule.applies is False:
        return rule.why
    if rule.applies is None and not (answers.default_branch and answers.default_branch in rule.branches):
        named = listed(map(quoted, rule.branches)) or "no branch"
        return f"it names {named}, and no answer shows that it is the default branch"
    if not rule.reviews:
        return "it asks for no approval"
    if rule.bypass is None:
        return "it does not show who may bypass it, as a token without rights gets it"
    return f"{listed(rule.bypass)} may bypass it" if rule.bypass else ""


# --- environments, scanning


_PRODUCTION = ("prod", "live", "main")


def _approval(answers: Answers) -> Iterator[tuple[str, _Said]]:
    """Whether a deployment to production waits for a second person."""
    gates = [one for one in answers.gates if any(word in one.name.lower() for word in _PRODUCTION)]
    if not gates:
        for one in answers.gates[:1]:
            why = f"none of the environments is called production: {_names(answers.gates)}"
            yield "production_approval", LeftOpen(PIPELINE, "production_approval", why, one.place, ())
        return
    open_gates = [one for one in gates if not one.reviewers or one.self_review]
    if open_gates:
        one = open_gates[0]
        why = "the person who starts it may approve it" if one.reviewers else "no reviewer is required"
        yield "production_approval", _shown(value=False, place=one.place, note=f"environment {quoted(one.name)}: {why}")
    elif unsure := [one for one in gates if one.self_review is None or one.admins_bypass is not False]:
        one = unsure[0]
        why = f"administrators may bypass the environment {quoted(one.name)}, or the answer does not say"
        yield "production_approval", LeftOpen(PIPELINE, "production_approval", why, one.place, ())
    else:
        note = f"{_names(gates)} requires a reviewer other than the person who starts it"
        yield "production_approval", _shown(value=True, place=gates[0].place, note=note)


def _names(gates: Sequence[Gate]) -> str:
    return listed([quoted(one.name) for one in gates])


def _scanning(pushes: bool | None, secrets: bool | None, place: Place) -> Iterator[tuple[str, _Said]]:  # noqa: FBT001 - two answers
    """Whether pushes with secrets are rejected; logs are not scanned, so that it is never whole."""
    if pushes is False or secrets is False:
        off = "push protection" if pushes is False else "secret scanning"
        yield "secret_scanning", _shown(value=False, place=place, note=f"{off} is disabled")
    elif pushes and secrets:
        note = "push protection is enabled; whether logs are scanned is not shown"
        yield "secret_scanning", Statement(value=True, source="repository", place=place, note=note)
