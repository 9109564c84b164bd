"""Access that a stack gives beside its functions: to guests, through other roles, by uploads and to build projects."""

from __future__ import annotations

import re
from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import each, flag, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.analyses.sharing import anybody
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    every,
    judged,
    named,
    no,
    said,
    some,
    unknown,
    unless_unread,
    yes,
)
from threatmodel.evidence.policies.arns import arn_parts
from threatmodel.evidence.policies.grants import ConditionKey, Grant, allowing, grants
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Unknown

_POOLS = "cognito-identity."
_WRITES = frozenset({"PUT", "POST"})


@analysis("pool")
def pool_has_guests(parts: Sequence[Gathered], resource: Resource, _stack: Stack) -> Outcome:
    """Yes where an identity pool gives credentials to callers that did not sign in; other files may have more pools."""

    def guests(part: Gathered) -> Answer:
        return said(flag(read(part.node, "AllowUnauthenticatedIdentities"), left_out=False), part.resource.place)

    found = some(judged(named(parts, "pool"), resource, guests))
    return None if isinstance(found, Answered) and not found.value else found


@analysis("trust")
def roles_beside_functions(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Yes where a role admits users of an identity pool, or any principal; a stack cannot show that there is none."""
    trusts = allowing(grants(named(parts, "trust"), resource, stack))
    found = some(yes(grant.place) if _of_pools(grant) else grant.says(_is_wide(grant)) for grant in trusts)
    return None if isinstance(found, Answered) and not found.value else found


@analysis("trust")
def other_roles_restricted(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """No where a role admits any principal, pool or repository; other files may have more roles."""
    wide = [grant.says(_is_wide(grant)) for grant in allowing(grants(named(parts, "trust"), resource, stack))]
    found = some(wide)
    if not isinstance(found, Answered):
        return found
    return found._replace(value=False) if found.value else None


def _is_wide(grant: Grant) -> Answer:
    """Whether a trust policy lets any principal, users of any identity pool or any repository assume its role."""
    audience = [one for one in grant.conditions if one.key.endswith(":aud") or one.open is not None]
    if _of_pools(grant) and not audience:
        return yes(grant.place, "the trust policy of a role allows users of any identity pool")
    subjects = [one for one in grant.conditions if not one.key.endswith(":aud")]
    if grant.open is None and _of_code_host(grant) and all(map(_is_any, subjects)):
        return yes(grant.place, "the trust policy of a role allows any repository of a public code host")
    return _by_anybody(grant)


def _of_code_host(grant: Grant) -> bool:
    hosts = any(one.kind == "Federated" and _CODE_HOST.search(one.pattern.text) for one in grant.principals)
    return hosts and grant.covers("sts:assumerolewithwebidentity") is True


_CODE_HOST = re.compile(r"(?:token\.actions\.githubusercontent\.com|gitlab\.com|api\.bitbucket\.org)")


def _is_any(condition: ConditionKey) -> bool:
    """Whether a condition surely leaves it open which repository of the host asks."""
    subject = condition.key.endswith(":sub") and condition.operator.endswith("stringlike") and condition.open is None
    return subject and any(one.open is None and _EVERY.fullmatch(one.text) for one in condition.values)


_EVERY = re.compile(r"(?:repo:|project_path:)?\*[*/:]*")
"""Subjects that fit each repository."""


def _of_pools(grant: Grant) -> bool:
    return any(one.kind == "Federated" and one.pattern.text.startswith(_POOLS) for one in grant.principals)


def _by_anybody(grant: Grant) -> Answer:
    """Whether a trust policy lets any principal assume its role."""
    answer, covered = anybody(grant), grant.covers("sts:assumerole")
    if not isinstance(answer, Answered) or not answer.value:
        return answer
    if covered is None:
        return unknown(Unknown("an action of the trust policy is not known", grant.place))
    return yes(grant.place, "the trust policy of a role allows any principal") if covered else no(grant.place)


@analysis("rule")
def browsers_upload(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """Yes where a bucket lets browsers of another site write to it; a stack cannot show who else uploads."""
    for part in named(parts, "rule"):
        if any(worded(method) in _WRITES for method in each(read(part.node, "AllowedMethods"))):
            return yes(part.resource.place)
    return None


# --- the roles of build projects
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
