"""What nobody can do in an account, and who can do what he should not: service control policies, and IAM's own list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from threatmodel.evidence.analyses.judgements import Judgement, places, some, unknown
from threatmodel.evidence.analyses.principals import Holder, holders
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answered, Gathered, Outcome, Unanswered
from threatmodel.evidence.policies.arns import arn_parts
from threatmodel.evidence.policies.grants import ConditionKey, Grant, Pattern, aws_policy_name, grants, pattern
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

# --- denials

_EXEMPTS = ("arnnotlike", "arnnotequals", "stringnotlike", "stringnotequals")


def _everywhere(grant: Grant) -> bool:
    return not grant.but_resources and any(one.text == "*" for one in grant.resources)


def _exempts(condition: ConditionKey) -> bool:
    """Whether a condition spares some named principals, and nothing else."""
    named = condition.key in {"aws:principalarn", "aws:principalorgid"}
    return named and condition.operator in _EXEMPTS and all(_is_named(one) for one in condition.values)


def _is_named(one: Pattern) -> bool:
    name = re.sub(r"\A(?:role|user|assumed-role)/", "", arn_parts(one.text)[-1])
    return one.open is None and name.strip("*?/") != ""


def _denies(grant: Grant, action: str, holds: Callable[[ConditionKey], bool] | None = None) -> bool | None:
    """Whether a statement denies an action on everything, but for principals that are spared.

    `holds` says which further condition it may have; it must then have one, unless it has none at all.
    """
    if grant.effect == "Allow" or not _everywhere(grant):
        return None if grant.open is not None and not grant.actions else False
    rest = [one for one in grant.conditions if not _exempts(one)]
    if rest and (holds is None or not all(holds(one) for one in rest)):
        return None if any(not one.key or one.open is not None for one in rest) else False
    covered = grant.covers(action)
    return None if covered and grant.open is not None else covered


def _all_denied(
    parts: Sequence[Gathered],
    found: Sequence[Grant],
    actions: Iterable[str],
    holds: Callable[[ConditionKey], bool] | None,
) -> Outcome:
    """Whether every action is denied by a statement."""
    rests: list[Judgement] = []
    for action in actions:
        judgements = [Judgement(_denies(grant, action, holds), grant.place, action) for grant in found]
        decisive = next((one for one in judgements if one.truth), None)
        open_one = next((grant.open for grant in found if grant.open is not None), None)
        if decisive is not None:
            rests.append(decisive)
        elif any(one.truth is None for one in judgements):
            place = next(one.place for one in judgements if one.truth is None)
            return unanswered(open_one or Unknown("a statement cannot be understood", place))
        else:
            return Answered(False, tuple(places(parts)), f"nothing denies {action}")  # noqa: FBT003 - the value
    return Answered(True, tuple(dict.fromkeys(one.place for one in rests)))  # noqa: FBT003 - the value


def unanswered(found: Unknown) -> Unanswered:
    """That something unknown leaves the question open."""
    return Unanswered(found.why, found.place)


def _guardrails(
    parts: Sequence[Gathered], resource: Resource, stack: Stack
) -> tuple[list[Gathered], tuple[Grant, ...]]:
    own = [part for part in parts if part.part == "guardrail"]
    return own, grants(own, resource, stack)


# --- what guardrails deny

_DETECTION = (
    *("cloudtrail:stoplogging", "cloudtrail:deletetrail", "cloudtrail:updatetrail", "cloudtrail:puteventselectors"),
    *("config:stopconfigurationrecorder", "config:deleteconfigurationrecorder", "config:deletedeliverychannel"),
    "config:putconfigurationrecorder",
    *("guardduty:deletedetector", "guardduty:updatedetector", "guardduty:createfilter", "guardduty:createipset"),
    *("guardduty:disassociatefromadministratoraccount", "guardduty:disassociatefrommasteraccount"),
    "guardduty:deletepublishingdestination",
)
"""What ends detection, or blinds it: a smaller recorder, an empty selector, a filter, a trusted address."""
_LOGS = ("s3:deletebucket", "s3:deleteobject", "logs:deleteloggroup")


@analysis("guardrail")
def denies_stopping_detection(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether policies deny stopping and deleting CloudTrail, Config, GuardDuty and their logs."""
    own, found = _guardrails(parts, resource, stack)
    outcome = _all_denied(own, found, _DETECTION, None)
    if not own or not isinstance(outcome, Answered) or not outcome.value:
        return outcome if own else None
    kept = [grant for grant in found if grant.effect == "Deny" and not grant.open and _keeps_logs(grant)]
    if kept:
        return outcome._replace(places=tuple(dict.fromkeys((*outcome.places, kept[0].place))))
    return Answered(False, tuple(places(own)), "nothing denies deleting their logs")  # noqa: FBT003 - the value


def _keeps_logs(grant: Grant) -> bool:
    return all(_exempts(one) for one in grant.conditions) and any(grant.covers(action) for action in _LOGS)


@analysis("guardrail")
def denies_root(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a policy denies every action to the root user."""
    own, found = _guardrails(parts, resource, stack)
    return some((_bars_root(grant) for grant in found), own) if own else None


def _bars_root(grant: Grant) -> Judgement:
    if grant.open is not None:
        return unknown(grant.open)
    everything = not grant.but_actions and any(one.text in {"*", "*:*"} for one in grant.actions)
    if grant.effect != "Deny" or not everything or not _everywhere(grant):
        return Judgement(truth=False, place=grant.place)
    return Judgement(all(_is_root(one) for one in grant.conditions), grant.place)


def _is_root(condition: ConditionKey) -> bool:
    named = condition.key == "aws:principalarn" and condition.operator in {"stringlike", "arnlike", "stringequals"}
    return named and any(re.fullmatch(r"arn:[^:]+:iam::[^:]*:root", one.text) for one in condition.values)


@analysis("guardrail")
def denies_public_functions(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether policies deny function URLs without IAM, permissions for every principal, and policies put as a whole."""
    own, found = _guardrails(parts, resource, stack)
    if not own:
        return None
    urls = _all_denied(own, found, ("lambda:createfunctionurlconfig", "lambda:updatefunctionurlconfig"), _without_iam)
    if not isinstance(urls, Answered) or not urls.value:
        return urls
    statements = _all_denied(own, found, ("lambda:addpermission",), _for_everybody)
    if not isinstance(statements, Answered) or not statements.value:
        return statements
    outcome = _all_denied(own, found, ("lambda:putresourcepolicy",), None)
    if isinstance(outcome, Answered) and outcome.value:
        return outcome._replace(places=tuple(dict.fromkeys((*urls.places, *statements.places, *outcome.places))))
    return outcome


def _without_iam(condition: ConditionKey) -> bool:
    values = {one.text for one in condition.values}
    if condition.key != "lambda:functionurlauthtype":
        return False
    if condition.operator in {"stringnotequals", "stringnotlike", "stringnotequalsifexists"}:
        return values == {"AWS_IAM"}
    return condition.operator in {"stringequals", "stringlike"} and "NONE" in values


def _for_everybody(condition: ConditionKey) -> bool:
    equal = condition.operator in {"stringequals", "stringlike"}
    return condition.key == "lambda:principal" and equal and any(one.text == "*" for one in condition.values)


@analysis("guardrail")
def denies_other_regions(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a policy denies all but some Regions, global services apart."""
    own, found = _guardrails(parts, resource, stack)
    return some((_bars_regions(grant) for grant in found), own) if own else None


def _bars_regions(grant: Grant) -> Judgement:
    if grant.open is not None:
        return unknown(grant.open)
    wide = grant.but_actions or any(one.text == "*" for one in grant.actions)
    if grant.effect != "Deny" or not wide or not _everywhere(grant):
        return Judgement(truth=False, place=grant.place)
    rest = [one for one in grant.conditions if not _exempts(one)]
    by_region = [one for one in rest if one.key == "aws:requestedregion" and one.operator == "stringnotequals"]
    return Judgement(bool(by_region) and len(by_region) == len(rest), grant.place)


@analysis("guardrail")
def denies_leaving(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a policy denies the account to leave the organisation."""
    own, found = _guardrails(parts, resource, stack)
    return _all_denied(own, found, ("organizations:leaveorganization",), None) if own else None


_NEED_MFA = (
    *("iam:attachrolepolicy", "iam:putrolepolicy", "iam:createaccesskey", "iam:updateassumerolepolicy"),
    *("dynamodb:deletetable", "s3:deletebucket", "lambda:deletefunction", "kms:schedulekeydeletion"),
)
"""Actions that stand for all that destroy or change rights: whoever denies these denies their like."""


@analysis("guardrail", "authorisations")
def denies_without_mfa(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a policy denies destructive and privilege-changing actions where MFA is false or missing.

    A service control policy does it for everybody; else every user must have a policy that does.
    """
    own, found = _guardrails(parts, resource, stack)
    outcome = _all_denied(own, found, _NEED_MFA, _no_mfa) if own else None
    if outcome is not None and (not isinstance(outcome, Answered) or outcome.value):
        return outcome
    lists = [part for part in parts if part.part == "authorisations"]
    for part in lists:
        everybody = holders(part.node)
        if isinstance(everybody, Unknown):
            return unanswered(everybody)
        users = [holder for holder in everybody if holder.kind == "user"]
        by_user = [_all_denied(lists, user.grants, _NEED_MFA, _no_mfa) for user in users]
        if users and all(isinstance(one, Answered) and one.value for one in by_user):
            return Answered(True, (part.node.place,), "each user's policies deny it")  # noqa: FBT003 - the value
        return Answered(False, (part.node.place,), "no policy denies them without MFA")  # noqa: FBT003 - the value
    return outcome


def _no_mfa(condition: ConditionKey) -> bool:
    """Whether a condition holds where MFA is false, and where nothing is said of it."""
    false = [one.text for one in condition.values] == ["false"]
    return condition.key == "aws:multifactorauthpresent" and condition.operator == "boolifexists" and false


# --- who has what

_CHANGES = (
    *("lambda:updatefunctioncode", "lambda:updatefunctionconfiguration", "lambda:deletefunction"),
    *("lambda:addpermission", "lambda:removepermission", "lambda:createfunctionurlconfig"),
    *("lambda:updatefunctionurlconfig", "lambda:putfunctionconcurrency", "lambda:deletefunctionconcurrency"),
    *("lambda:updatealias", "lambda:publishversion", "lambda:createalias", "lambda:putresourcepolicy"),
    *("lambda:createeventsourcemapping", "lambda:updateeventsourcemapping", "lambda:putruntimemanagementconfig"),
    *("lambda:putfunctioncodesigningconfig", "lambda:deletefunctioncodesigningconfig"),
    *("lambda:putfunctioneventinvokeconfig", "lambda:updatefunctioneventinvokeconfig"),
)


@analysis("authorisations", "guardrail")
def only_pipeline_changes_functions(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether nobody but deploy roles has an action that changes functions; a guardrail may deny it to all others."""
    own, found = _guardrails(parts, resource, stack)
    barred = _all_denied(own, found, _CHANGES, None) if own else None
    if isinstance(barred, Answered) and barred.value:
        return barred
    return _only(parts, _CHANGES, lambda holder: holder.deploys, "may change functions")


@analysis("authorisations", "policy")
def invokers_restricted(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether only triggers and deploy roles may invoke a function."""
    policies = [part for part in parts if part.part == "policy"]
    for grant in grants(policies, resource, stack):
        if grant.open is not None:
            return unanswered(grant.open)
        strangers = [one for one in grant.principals if one.kind != "Service"]
        if grant.effect == "Allow" and (strangers or grant.but_principals):
            return Answered(False, (grant.place,), "its policy lets in others than services")  # noqa: FBT003 - the value
    names = (resource.name,) if resource.name else ()
    spared = lambda holder: holder.deploys or holder.starts  # noqa: E731 - said where it is used
    return _only(parts, ("lambda:invokefunction",), spared, "may invoke it", names)


def _only(
    parts: Sequence[Gathered],
    actions: Sequence[str],
    spared: Callable[[Holder], bool],
    what: str,
    names: Sequence[str] = (),
) -> Outcome:
    """Whether nobody has some actions but those that are spared."""
    for part in parts:
        if part.part != "authorisations":
            continue
        everybody = holders(part.node)
        if isinstance(everybody, Unknown):
            return unanswered(everybody)
        others = [one for one in everybody if not one.of_aws and not spared(one)]
        found = [one for one in others if any(one.may(action, names) for action in actions)]
        if found:
            note = f"{len(found)} users and roles beside the pipeline's {what}"
            return Answered(False, tuple(one.place for one in found[:12]), note)  # noqa: FBT003 - the value
        open_one = next((grant.open for one in others for grant in one.grants if grant.open is not None), None)
        return unanswered(open_one) if open_one else Answered(True, (part.node.place,))  # noqa: FBT003 - the value
    return None


_PASS = "iam:passrole"  # noqa: S105 - an action's name


@analysis("authorisations")
def passrole_restricted(parts: Sequence[Gathered], _resource: Resource, _stack: Stack) -> Outcome:
    """Whether each statement that allows iam:PassRole names roles and the service that they are passed to."""
    for part in parts:
        if part.part != "authorisations":
            continue
        everybody = holders(part.node)
        if isinstance(everybody, Unknown):
            return unanswered(everybody)
        passing = [
            grant
            for one in everybody
            if not one.of_aws
            for grant in one.grants
            if grant.effect == "Allow" and grant.covers(_PASS)
        ]
        wide = [grant for grant in passing if not _names_roles(grant)]
        if wide:
            found = tuple(dict.fromkeys(grant.place for grant in wide))[:12]
            return Answered(False, found, f"{len(wide)} statements pass roles too freely")  # noqa: FBT003 - the value
        return Answered(True, (part.node.place,))  # noqa: FBT003 - the value
    return None


def _names_roles(grant: Grant) -> bool:
    named = not grant.but_resources and bool(grant.resources)
    named = named and all(one.open is None and not re.search(r"[*?]", one.text) for one in grant.resources)
    to = [one for one in grant.conditions if one.key == "iam:passedtoservice" and one.operator.startswith("string")]
    services = [value for one in to if "not" not in one.operator for value in one.values]
    return named and bool(services) and all(not re.search(r"[*?]", one.text) for one in services)


_ADMINISTRATORS = ("AdministratorAccess", "IAMFullAccess")


@analysis("managed", "policy")
def standing_administrators(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether a permission set with AdministratorAccess or an equal policy is assigned."""
    found = [_administers_by_name(part.node) for part in parts if part.part == "managed"]
    policies = [part for part in parts if part.part == "policy"]
    found += [_administers(grant) for grant in grants(policies, resource, stack) if grant.effect != "Deny"]
    return some(found, parts) if found else None


def _administers_by_name(node: Node) -> Judgement:
    if isinstance(node, Unknown):
        return unknown(node)
    name = aws_policy_name(pattern(node))
    return Judgement(name in _ADMINISTRATORS, node.place, f"{name} is assigned" if name in _ADMINISTRATORS else "")


def _administers(grant: Grant) -> Judgement:
    if grant.open is not None:
        return unknown(grant.open)
    everything = any(one.text in {"*", "*:*", "iam:*"} for one in grant.actions) and not grant.but_actions
    return Judgement(everything and _everywhere(grant), grant.place)
