"""Who may use the role of a build project: what the trust of CodeBuild's service asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answer, Gathered, Outcome, Unanswered, every, named, no, unless_unread, yes
from threatmodel.evidence.policies.arns import arn_parts
from threatmodel.evidence.policies.grants import ConditionKey, Grant, allowing, grants
from threatmodel.stacks.stack import Resource, Stack

_SERVICE = "codebuild.amazonaws.com"
_EXACT = ("arnlike", "arnequals", "stringequals", "stringlike")


@analysis("trust")
def runner_role_bound(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each role that CodeBuild may assume names the project, and no other principal may assume it."""
    says: list[Answer] = []
    for part in named(parts, "trust"):
        found = list(allowing(grants([part], resource, stack)))
        if any(one.pattern.text == _SERVICE for grant in found for one in grant.principals):
            says += [one.says(_bound(one)) for one in found]
    return unless_unread(every(says), stack, [True])


def _bound(grant: Grant) -> Answer:
    others = [one for one in grant.principals if one.pattern.text != _SERVICE]
    if any(one.kind == "Service" for one in others):
        return Unanswered("another service may assume the role too", grant.place)
    if grant.but_principals or others:
        open_one = next((one.pattern.open for one in others if one.pattern.open is not None), None)
        if open_one is not None:
            return Unanswered(open_one.why, grant.place)
        return no(grant.place, "other principals may assume the role of the build project")
    sources = [one for one in grant.conditions if one.key == "aws:sourcearn" and one.operator in _EXACT]
    hidden = next((one for one in grant.conditions if one.open is not None or not one.key), None)
    if any(_names_project(one) for one in sources):
        return yes(grant.place)
    if hidden is not None:
        return Unanswered("the condition of the trust policy is unknown", hidden.place)
    what = "one build project" if sources else "the build project (aws:SourceArn)"
    return no(grant.place, f"the trust policy does not name {what}")


def _names_project(condition: ConditionKey) -> bool:
    """Whether a condition holds for one named project alone."""
    return len(condition.values) == 1 and all(
        one.open is None and (bool(one.links) or re.fullmatch(r"project/[^*?]+", arn_parts(one.text)[-1]) is not None)
        for one in condition.values
    )
