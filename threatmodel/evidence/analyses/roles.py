"""What the policies of a role allow, and who may assume it: the analyses of a function's role."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.judgements import MOST_PLACES, Judgement, every, places, some, unknown, unless_open
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.evidence.policies.arns import account_of
from threatmodel.evidence.policies.grants import (
    ConditionKey,
    Grant,
    Pattern,
    Principal,
    allowing,
    grants,
    pattern,
)
from threatmodel.evidence.policies.iam import expanded
from threatmodel.evidence.policies.permissions import effective, held
from threatmodel.evidence.services import LANGUAGE_MODELS
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Table, Unknown

# --- roles that it assumes

_ASSUME = "sts:assumerole"


@analysis("policy", "managed", "sam")
def role_escalates(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether the statements together allow a way to more rights: to pass any role, or one that public lists have.

    Unknown where one changes identities, code or what is deployed, and no list says where that leads.
    """
    found = effective(held(parts, resource, stack))
    if found.escalations:
        first, *others = found.escalations
        more = f", and {len(others)} more ways" if len(others) > 1 else ", and one more way" if others else ""
        where = dict.fromkeys(place for one in found.escalations for place in one.places)
        return Answered(value=True, places=tuple(where)[:MOST_PLACES], note=f"{first.way.cited}{more}")
    passing = next((one for one in found.every if "iam:PassRole" in one.actions), None)
    if passing is not None:
        return Answered(value=True, places=(passing.place,), note="it may pass any role (iam:PassRole)")
    for one in (*found.unexplained, *found.unknown):
        return Unanswered(one.why, one.place)
    return Answered(value=False, places=tuple(dict.fromkeys(part.node.place for part in parts)))


@analysis("policy", "managed", "sam")
def calls_a_model(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """That a statement lets it put text into a language model of Bedrock: what no statement says is no answer."""
    for grant in allowing(held(parts, resource, stack)):
        asked = (one for one in grant.actions if one.open is None and one.text.strip("*"))
        if grant.open is None and any(_of_models(one.text) for one in asked):
            return Answered(value=True, places=(grant.place,), note="its role may invoke a Bedrock model")
    return None


def _of_models(action: str) -> bool:
    """Whether a pattern of actions covers one by which text goes into a language model."""
    named = action.startswith("bedrock:")
    return named and any(one.name.lower() in LANGUAGE_MODELS for one in expanded(action))


@analysis("policy", "managed", "sam")
def assumes_roles(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a statement allows sts:AssumeRole."""
    return some((_assumes(grant) for grant in allowing(held(parts, resource, stack))), parts)


def _assumes(grant: Grant) -> Judgement:
    if grant.open is not None and not grant.actions:
        return unknown(grant.open)
    truth = grant.covers(_ASSUME)
    why = next((one.open.why for one in grant.actions if one.open is not None), "the statement names no action")
    note = f"{grant.about} allows sts:AssumeRole" if truth else "" if truth is False else why
    return unless_open(grant, Judgement(truth, grant.place, note))


@analysis("policy", "managed", "sam")
def assumed_roles_named(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether every statement that allows sts:AssumeRole names roles of this account, without wildcard.

    True where all are of this account; else unknown, since the trust of a foreign role cannot be read.
    """
    found = []
    for grant in allowing(held(parts, resource, stack)):
        assumes = _assumes(grant)
        if assumes.truth is None:
            found.append(assumes)
        elif assumes.truth:
            found += [unless_open(grant, one, decides=False) for one in _roles_named(grant, stack)]
    return every(found, parts)


def _roles_named(grant: Grant, stack: Stack) -> Iterator[Judgement]:
    if grant.but_resources or not grant.resources:
        yield Judgement(truth=False, place=grant.place, note="the roles are not named")
    for one in () if grant.but_resources else grant.resources:
        at = grant.at(one)
        if re.search(r"[*?]", one.text):
            yield Judgement(truth=False, place=at, note="the role is named with a wildcard")
        elif one.open is not None:
            yield unknown(one.open)
        elif any(link.resource in stack.resources for link in one.links) or account_of(one) == "$":
            yield Judgement(truth=True, place=at)
        else:
            yield Judgement(None, at, "the trust policy of a role outside these files cannot be read")


# --- trusts

_LAMBDA = frozenset({"lambda.amazonaws.com", "lambda.amazonaws.com.cn", "lambda.${AWS::URLSuffix}"})


@analysis("trust")
def trusts_only_lambda(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether Lambda is the only principal that a trust policy allows."""
    trusts = [part for part in parts if part.part == "trust"]
    return every((_only_lambda(grant) for grant in allowing(grants(trusts, resource, stack))), trusts)


def _only_lambda(grant: Grant) -> Judgement:
    if grant.open is not None and not grant.actions:
        return unknown(grant.open)
    if grant.but_principals:
        judgement = Judgement(truth=False, place=grant.place, note="the trust policy allows every principal but some")
        return unless_open(grant, judgement, decides=False)
    for one in grant.principals:
        if one.pattern.open is None and not is_lambda(one):
            judgement = Judgement(
                truth=False, place=one.pattern.place, note="the trust policy allows principals other than Lambda"
            )
            return unless_open(grant, judgement, decides=False)
    open_one = next((one.pattern.open for one in grant.principals if one.pattern.open is not None), None)
    if open_one is not None or not grant.principals:
        return unknown(open_one or Unknown("the trust policy names no principal", grant.place))
    return Judgement(truth=True, place=grant.place) if grant.open is None else unknown(grant.open)


def is_lambda(one: Principal) -> bool:
    """Whether a principal is the Lambda service."""
    return one.kind == "Service" and one.pattern.text in _LAMBDA


@analysis("user")
def several(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a role has several users: no, where nothing else in these files uses it."""
    users = [part for part in parts if part.part == "user"]
    if not users:
        return None
    sure = {_user(part): part for part in users if not isinstance(part.node, Unknown) and not part.resource.doubt}
    if len(sure) > 1:
        return Answered(True, tuple(places(list(sure.values()))), "several functions or services use the role")  # noqa: FBT003 - the value
    open_one = next((part.node for part in users if isinstance(part.node, Unknown)), None)
    others = [part.resource for part in users if part.resource.doubt and part.resource.name != resource.name]
    if open_one is None and others:
        open_one = others[0].doubt
    if open_one is not None:
        return Unanswered(open_one.why, open_one.place)
    if stack.unread:
        return Unanswered("a part that cannot be read may use the role too", stack.unread[0].place)
    return Answered(False, tuple(places(users)))  # noqa: FBT003 - the value


def _user(part: Gathered) -> str:
    """Who a user is: the resource whose properties these are, or the name that AWS gave."""
    return part.resource.name if isinstance(part.node, Table) else pattern(part.node).text


# --- web identities

_ELSEWHERE = (
    "cognito-identity.amazonaws.com",
    "graph.facebook.com",
    "accounts.google.com",
    "www.amazon.com",
    "oidc.eks.",
)
_EXACT = ("stringequals", "stringequalsignorecase", "stringlike")
_GITHUB = re.compile(
    r"(repo:[^:*?/]+/[^:*?/]+:(.*:)?|repository_id:[0-9]+:(.*:)?|repository_owner_id:[0-9]+:repository_id:[0-9]+:(.*:)?)"
    r"(ref:refs/heads/[^*?:]+|environment:[^:*?]+)(:[^*?]*)?\Z"
)
"""Subjects of GitHub Actions with a repository and its branch or environment: by its names, by its names with their ids
(``repo:acme@12/shop@34:...``, what new repositories have since July 2026), or by the ids alone, where a repository has
its subjects made so.  docs.github.com/actions/reference/openid-connect-reference.
"""
_BY_NAME = re.compile(r"repo:[^:@]+:")
_OF_GITHUB = "token.actions.githubusercontent.com"
_GITLAB = re.compile(r"project_path:(?P<repo>[^:*?]+):ref_type:branch:ref:[^:*?]+\Z")


@analysis("trust")
def oidc_claims_pinned(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each trust of a web identity names the audience, and one repository with its branch or environment."""
    trusts = [part for part in parts if part.part == "trust"]
    found = []
    for grant in allowing(grants(trusts, resource, stack)):
        if grant.open is not None and not grant.actions:
            found.append(unknown(grant.open))
        elif _web_identity(grant):
            found += [unless_open(grant, one, decides=False) for one in _claims(grant)]
    pinned = any(one.truth is not None for one in found)
    return every(found, trusts) if pinned or any(one.truth is None for one in found) else None


def _web_identity(grant: Grant) -> bool:
    federated = [one for one in grant.principals if one.kind == "Federated"]
    return any(not any(name in one.pattern.text for name in _ELSEWHERE) for one in federated) and (
        grant.covers("sts:assumerolewithwebidentity") is not False
    )


def _claims(grant: Grant) -> Iterator[Judgement]:
    open_one = next((one.open for one in grant.conditions if one.open is not None and not one.key), None)
    github = any(_OF_GITHUB in one.pattern.text for one in grant.principals)
    for claim, ending in (("audience", ":aud"), ("subject", ":sub")):
        named = [one for one in grant.conditions if one.key.endswith(ending) and _compares(one.operator)]
        judgements = [_pinned(one, subject=claim == "subject", github=github) for one in named]
        best = next((one for wanted in (True, None) for one in judgements if one.truth is wanted), None)
        others = claim == "subject" and any(one.key.startswith(f"{_OF_GITHUB}:") for one in grant.conditions)
        if best is not None:
            yield best
        elif open_one is not None:
            yield unknown(open_one)
        elif others and any(not one.key.endswith((":aud", ":sub")) for one in grant.conditions):
            yield Judgement(
                None, grant.place, "it is unknown whether claims other than the subject name one repository"
            )
        elif judgements:
            yield judgements[0]
        else:
            yield Judgement(truth=False, place=grant.place, note=f"the trust policy does not check the {claim}")


def _compares(operator: str) -> bool:
    return operator.removeprefix("foranyvalue:") in _EXACT


def _pinned(condition: ConditionKey, *, subject: bool, github: bool) -> Judgement:
    exact = not condition.operator.endswith("like")
    if condition.open is not None:
        return unknown(condition.open)
    repositories = set()
    unclear: Unknown | None = None
    for one in condition.values:
        pinned = (
            (exact or not re.search(r"[*?]", one.text)) if not subject else _subject(one, exact=exact, github=github)
        )
        if pinned is False:
            what = "subject is not one repository with its branch or environment" if subject else "audience is any"
            return Judgement(truth=False, place=one.place, note=f"the {what}")
        if pinned is None:
            unclear = unclear or one.open or Unknown("the subject format of this provider is unknown", one.place)
        repositories.add(_repository(one.text))
    if len(repositories) > 1 and subject:
        return Judgement(truth=False, place=condition.place, note="the subjects belong to several repositories")
    if unclear is not None:
        return unknown(unclear)
    by_name = subject and any(_BY_NAME.match(one.text) for one in condition.values)
    note = (
        "the repository is named without its ids, so an attacker who takes over the name is allowed" if by_name else ""
    )
    return Judgement(bool(condition.values), condition.place, note)


def _subject(one: Pattern, *, exact: bool, github: bool) -> bool | None:
    """Return whether a subject is one repository with its branch or environment; None if that is unknown."""
    text = one.text
    if exact and re.search(r"[*?]", text):
        return False  # compared literally, it matches nothing: a pattern was meant
    if one.open is not None:
        if not exact:
            return False if text.endswith("*") else None
        text = re.sub("\x00[^\x01]*\x01", "x", text)
    if github or text.startswith("repo:"):
        return _GITHUB.match(text) is not None if one.open is None else _GITHUB.match(text) is not None or None
    if text.startswith("project_path:"):
        return _GITLAB.match(text) is not None
    return False if re.fullmatch(r"[*?]*", text) or text.endswith("*") else None


def _repository(text: str) -> str:
    return ":".join(text.split(":", 2)[:2])
