"""What the policies and the boundary of a function's role allow, and who may assume it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    every,
    named,
    no,
    places,
    some,
    unknown,
    yes,
)
from threatmodel.evidence.policies.arns import account_of, covers_every
from threatmodel.evidence.policies.grants import (
    ConditionKey,
    Grant,
    Pattern,
    Principal,
    allowing,
    attached,
    grants,
    pattern,
)
from threatmodel.evidence.policies.iam import expanded
from threatmodel.evidence.policies.permissions import effective, held, rights
from threatmodel.evidence.policies.role_policies import ASSUME_ROLE, as_others
from threatmodel.evidence.policies.work import PLATFORM, is_of
from threatmodel.evidence.services import LANGUAGE_MODELS
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Table, Unknown

# --- roles that it assumes


@analysis("policy", "managed", "sam")
def role_escalates(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether the statements together allow a way to more rights: to pass any role, or one that public lists have.

    Unknown where one changes identities, code or what is deployed, and no list says where that leads.
    """
    own = held(parts, resource, stack)
    each = [effective(one) for one in (own, tuple(as_others(resource, own, stack)))]  # a denial is of one role
    if ways := [way for one in each for way in one.escalations]:
        first, *others = ways
        more = f", and {len(others)} more ways" if len(others) > 1 else ", and one more way" if others else ""
        where = dict.fromkeys(place for one in ways for place in one.places)
        return Answered(value=True, places=tuple(where), note=f"{first.way.cited}{more}")
    passing = next((every for one in each for every in one.every if "iam:PassRole" in every.actions), None)
    if passing is not None:
        return yes(passing.place, "it may pass any role (iam:PassRole)")
    for why in (why for one in each for why in (*one.unexplained, *one.unknown)):
        return unknown(why)
    return Answered(value=False, places=places(parts))


@analysis("policy", "managed", "sam")
def calls_a_model(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """That a statement lets it put text into a language model of Bedrock: what no statement says is no answer."""
    for grant in allowing(held(parts, resource, stack)):
        texts = (one.text for one in grant.actions if one.open is None and one.text.startswith("bedrock:"))
        asked = {action.name.lower() for text in texts for action in expanded(text)}
        if grant.open is None and asked & LANGUAGE_MODELS:
            return yes(grant.place, "its role may invoke a Bedrock model")
    return None


@analysis("policy", "managed", "sam")
def assumes_roles(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a statement allows sts:AssumeRole."""
    return some((_assumes(grant) for grant in allowing(held(parts, resource, stack))), parts=parts)


def _assumes(grant: Grant) -> Answer:
    truth = grant.covers(ASSUME_ROLE)
    why = next((one.open.why for one in grant.actions if one.open is not None), "the statement names no action")
    allows = yes(grant.place, f"{grant.about} allows sts:AssumeRole") if truth else no(grant.place)
    return grant.says(Unanswered(why, grant.place) if truth is None else allows)


@analysis("policy", "managed", "sam")
def assumed_roles_named(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether every statement that allows sts:AssumeRole names roles of this account, without wildcard.

    True where all are of this account; else unknown, since the trust of a foreign role cannot be read.
    """
    found: list[Answer] = []
    for grant in allowing(held(parts, resource, stack)):
        assumes = _assumes(grant)
        if isinstance(assumes, Unanswered):
            found.append(assumes)
        elif assumes.value:
            found += map(grant.says, _roles_named(grant, stack))
    return every(found)


def _roles_named(grant: Grant, stack: Stack) -> Iterator[Answer]:
    if grant.but_resources or not grant.resources:
        yield no(grant.place, "the roles are not named")
    for one in () if grant.but_resources else grant.resources:
        at = grant.at(one)
        if re.search(r"[*?]", one.text):
            yield no(at, "the role is named with a wildcard")
        elif one.open is not None:
            yield unknown(one.open)
        elif any(link.resource in stack.resources for link in one.links) or account_of(one) == "$":
            yield yes(at)
        else:
            yield Unanswered("the trust policy of a role outside these files cannot be read", at)


# --- trusts

_EDGE = frozenset({"edgelambda.amazonaws.com", "edgelambda.${AWS::URLSuffix}"})
_LAMBDA = _EDGE | {"lambda.amazonaws.com", "lambda.amazonaws.com.cn", "lambda.${AWS::URLSuffix}"}


@analysis("trust")
def trusts_only_lambda(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether Lambda is the only principal that a trust policy allows."""
    found = allowing(grants(named(parts, "trust"), resource, stack))
    return every(grant.says(_only_lambda(grant)) for grant in found)


def _only_lambda(grant: Grant) -> Answer:
    if grant.but_principals:
        return no(grant.place, "the trust policy allows every principal but some")
    for one in grant.principals:
        if one.pattern.open is None and not is_lambda(one):
            return no(one.pattern.place, "the trust policy allows principals other than Lambda")
    open_one = next((one.pattern.open for one in grant.principals if one.pattern.open is not None), None)
    if open_one is not None or not grant.principals:
        return unknown(open_one or Unknown("the trust policy names no principal", grant.place))
    return yes(grant.place)


@analysis("trust")
def trusts_edge(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether Lambda@Edge may assume a role, without which CloudFront takes no function that has it."""
    return some(grant.says(_edge(grant)) for grant in allowing(grants(named(parts, "trust"), resource, stack)))


def _edge(grant: Grant) -> Answer:
    if grant.but_principals:
        return unknown(Unknown("the trust policy allows every principal but some", grant.place))
    if any(one.kind == "Service" and one.pattern.text in _EDGE for one in grant.principals):
        return yes(grant.place)
    wide = next((one.pattern for one in grant.principals if one.pattern.text == "*"), None)
    open_one = next((one.pattern.open for one in grant.principals if one.pattern.open is not None), None)
    if wide is not None or open_one is not None:
        return unknown(open_one or Unknown("the trust policy allows every principal", grant.place))
    return no(grant.place)


def is_lambda(one: Principal) -> bool:
    """Whether a principal is the Lambda service, Lambda@Edge included."""
    return one.kind == "Service" and one.pattern.text in _LAMBDA


@analysis("policy", "managed", "sam")
def only_for_lambda(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether sharing the role shares anything: no, where it allows only what Lambda itself does with it.

    Nothing is said where it allows, or may allow, anything else.
    """
    allowed = tuple(allowing(held(parts, resource, stack)))
    only = allowed and not stack.unread and all(map(_for_lambda, allowed))
    return (
        Answered(value=False, places=places(parts), note="its role allows only logging and the like") if only else None
    )


def _for_lambda(grant: Grant) -> bool:
    actions = [action for one in grant.actions if one.open is None for action in expanded(one.text)]
    known = grant.open is None and not grant.but_actions and all(one.open is None for one in grant.actions)
    return known and all(is_of(action, PLATFORM) and not action.name.startswith("kms:") for action in actions)


@analysis("user")
def several(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a role has several users: no, where nothing else in these files uses it."""
    users = named(parts, "user")
    if not users:
        return None
    sure = {  # by the resource whose properties these are, or the name that AWS gave
        part.resource.name if isinstance(part.node, Table) else pattern(part.node).text: part
        for part in users
        if not isinstance(part.node, Unknown) and not part.resource.doubt
    }
    if len(sure) > 1:
        return Answered(value=True, places=places(sure.values()), note="several functions or services use the role")
    open_one = next((part.node for part in users if isinstance(part.node, Unknown)), None)
    others = [part.resource for part in users if part.resource.doubt and part.resource.name != resource.name]
    if open_one is None and others:
        open_one = others[0].doubt
    if open_one is not None:
        return unknown(open_one)
    if stack.unread:
        return Unanswered("a part that cannot be read may use the role too", stack.unread[0].place)
    return Answered(value=False, places=places(users))


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
    found: list[Answer] = []
    for grant in allowing(grants(named(parts, "trust"), resource, stack)):
        if grant.open is not None and not grant.actions:
            found.append(unknown(grant.open))
        elif _web_identity(grant):
            found += map(grant.says, _claims(grant))
    return every(found)


def _web_identity(grant: Grant) -> bool:
    federated = [one for one in grant.principals if one.kind == "Federated"]
    return any(not any(name in one.pattern.text for name in _ELSEWHERE) for one in federated) and (
        grant.covers("sts:assumerolewithwebidentity") is not False
    )


def _claims(grant: Grant) -> Iterator[Answer]:
    open_one = next((one.open for one in grant.conditions if one.open is not None and not one.key), None)
    github = any(_OF_GITHUB in one.pattern.text for one in grant.principals)
    for claim, ending in (("audience", ":aud"), ("subject", ":sub")):
        about = [one for one in grant.conditions if one.key.endswith(ending)]
        stated = [one for one in about if one.operator.removeprefix("foranyvalue:") in _EXACT]
        answers = [_pinned(one, subject=claim == "subject", github=github) for one in stated]
        best = some(answers)
        others = claim == "subject" and any(one.key.startswith(f"{_OF_GITHUB}:") for one in grant.conditions)
        if best is not None and (isinstance(best, Unanswered) or best.value):
            yield best
        elif open_one is not None:
            yield unknown(open_one)
        elif others and any(not one.key.endswith((":aud", ":sub")) for one in grant.conditions):
            yield Unanswered("it is unknown whether claims other than the subject name one repository", grant.place)
        else:
            yield best or no(grant.place, f"the trust policy does not check the {claim}")


def _pinned(condition: ConditionKey, *, subject: bool, github: bool) -> Answer:
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
            return no(one.place, f"the {what}")
        if pinned is None:
            unclear = unclear or one.open or Unknown("the subject format of this provider is unknown", one.place)
        repositories.add(":".join(one.text.split(":", 2)[:2]))
    if len(repositories) > 1 and subject:
        return no(condition.place, "the subjects belong to several repositories")
    if unclear is not None:
        return unknown(unclear)
    by_name = subject and any(_BY_NAME.match(one.text) for one in condition.values)
    note = "the repository is named without its ids, so an attacker who takes over the name is allowed"
    return yes(condition.place, note if by_name else "") if condition.values else no(condition.place)


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


# --- boundaries
_HOLDING = re.compile(r"(dynamodb|kinesis|kms|s3|secretsmanager|sqs|ssm):[*?]*|[*?]+(:[*?]*)?")
"""Every action, or every one of a service that holds data, messages, secrets or their keys."""


@analysis("boundary")
def boundary_bounds(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether what the boundary allows leaves out every known way to more rights.

    A boundary that allows everything, or one such action, limits nothing.  Unknown if its document is not in these
    files and it is none of AWS's own policies, or if it leaves a service that holds data open on every resource.
    """
    for part in parts:
        doubt = part.resource.doubt
        if doubt is not None and part.resource.name != resource.name:
            return unknown(doubt)
        allowed = attached(part.node, stack, follow=True)
        found = effective(allowed)
        if found.escalations:
            note = f"the boundary allows {found.escalations[0].way.cited}"
            return Answered(value=False, places=(part.node.place, *found.escalations[0].places), note=note)
        if found.unknown:
            return Unanswered(f"what the boundary allows: {found.unknown[0].why}", part.node.place)
        everywhere = (grant for grant in allowing(allowed) if not grant.conditions and covers_every(grant, "")[0])
        if any(grant.but_actions or any(_HOLDING.fullmatch(one.text) for one in grant.actions) for grant in everywhere):
            return Unanswered(
                "whether the boundary limits access to data: it allows it on every resource", part.node.place
            )
        return yes(part.node.place)
    return None


# --- what a command in a chat may do
_CHANGES = (
    *("ecs:updateservice", "ecs:stoptask", "lambda:updatefunctioncode", "lambda:deletefunction"),
    *("ec2:terminateinstances", "ec2:stopinstances", "ec2:startinstances", "ec2:rebootinstances"),
    *("ec2:authorizesecuritygroupingress", "rds:rebootdbinstance", "rds:deletedbinstance", "rds:stopdbinstance"),
    *("codepipeline:startpipelineexecution", "codepipeline:putapprovalresult", "codebuild:startbuild"),
    *("codedeploy:createdeployment", "cloudformation:updatestack", "cloudformation:deletestack"),
    *("ssm:sendcommand", "ssm:startautomationexecution", "autoscaling:setdesiredcapacity"),
    *("autoscaling:updateautoscalinggroup", "route53:changeresourcerecordsets", "eks:updatenodegroupconfig"),
    *("iam:createuser", "iam:attachuserpolicy", "iam:attachrolepolicy", "iam:createaccesskey"),
)
"""Actions on what runs: to start, stop, deploy, delete or open it, or to give rights in the account."""


@analysis("policy", "managed", "sam")
def changes_production(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """That a statement allows to change what runs; what no statement allows, a command may do in another way."""
    for grant in allowing(rights(parts, resource, stack)):
        narrow = grant.but_actions or any(not one.key or one.open is not None for one in grant.conditions)
        found = next((one for one in _CHANGES if any(asked.fits(one) for asked in grant.actions)), "")
        if grant.open is None and found and not narrow:
            return yes(grant.place, f"its role allows {found}")
    return None
