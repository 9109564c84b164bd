"""What no principal of an account can do, except named ones: service control policies, and what statements deny."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial

from threatmodel.evidence.analyses.properties import read, stands, worded
from threatmodel.evidence.analyses.registry import rows
from threatmodel.evidence.answers import (
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    every,
    no,
    places,
    said,
    some,
    unknown,
    yes,
)
from threatmodel.evidence.policies.arns import arn_parts
from threatmodel.evidence.policies.grants import ConditionKey, Grant, Pattern, grants
from threatmodel.evidence.policies.iam import watched
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Unknown

_POLICY = "AWS::Organizations::Policy"
_SCP, _RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
_Ask = Callable[[list[Gathered], tuple[Grant, ...]], Outcome]
"""What some policies say to a question, from where they stand and what they state."""


def _asked(parts: Sequence[Gathered], resource: Resource, stack: Stack, *, ask: _Ask, kind: str = _SCP) -> Outcome:
    """Answer a question by the policies of a kind that AWS Organizations has for an account.

    AWS answers which are above it.  A file tells only to what they are attached: it denies where that is nothing, and
    never shows that the account is a member, because the management account has no such policy.
    """
    own = [part for part in parts if part.part == "guardrail" and _may_be(part, kind)]
    if not own:
        return None
    found = grants(own, resource, stack)
    outcome = ask(own, found)
    if not any(part.resource.type == _POLICY for part in own) or not isinstance(outcome, Answered):
        return _by_name(outcome, found) or outcome
    if not outcome.value:
        return None  # another policy may do it
    loose = [part for part in own if _is_loose(part, stack)]
    kept = [part for part in own if part not in loose]
    without = ask(kept, grants(kept, resource, stack)) if kept else None
    if loose and not (isinstance(without, Answered) and without.value):
        return no(loose[0].resource.place, f"{loose[0].resource.name} is attached to nothing")
    return Unanswered("it is unknown whether the policy applies to this account", own[0].resource.place)


_MAKES_ROLES = ("iam:createrole", "iam:updateassumerolepolicy")


def _by_name(outcome: Outcome, found: Sequence[Grant]) -> Unanswered | None:
    """Return the doubt in a denial that spares a role by name, which a principal could create or let itself assume."""
    deciding = [one for one in found if isinstance(outcome, Answered) and outcome.value and one.place in outcome.places]
    spared = [one for grant in deciding for key in grant.conditions if exempts(key) for one in key.values]
    for role in (one for one in spared if re.search(r"::(\*|\d*):role/(?!aws-(reserved|service-role)/)", one.text)):
        guards = [
            one for one in found if one.effect == "Deny" and one.open is None and all(map(exempts, one.conditions))
        ]
        about = [one for one in guards if any(fnmatchcase(role.text, of.text) for of in one.resources)]
        if not all(any(one.covers(action) for one in about) for action in _MAKES_ROLES):
            name = role.text.rpartition(":role/")[2]
            return Unanswered(f"it exempts {name} by name, and nothing denies creating that role", role.place)
    return None


def _may_be(part: Gathered, kind: str) -> bool:
    """Return whether a policy is of a kind, or may be: of AWS's answers, all are service control policies."""
    stated = worded(read(part.resource.properties, "Type")) if part.resource.type == _POLICY else None
    return stated in {None, kind}


def _is_loose(part: Gathered, stack: Stack) -> bool:
    """Whether a policy is surely attached to nothing: it names no target."""
    kind = read(part.resource.properties, "Type")
    sure = part.resource.opaque is None and part.resource.doubt is None and not isinstance(kind, Unknown)
    return sure and stands(read(part.resource.properties, "TargetIds")) is False and not stack.unread


# --- what guardrails deny

_KEPT = ("cloudtrail", "config", "guardduty")
"""Services that a guardrail has to keep: of the others it may forget one."""
_LOGS = ("s3:deletebucket", "s3:deleteobject", "logs:deleteloggroup")


def _keeps_detection(own: list[Gathered], found: tuple[Grant, ...]) -> Outcome:
    outcome = all_denied(own, found, [one for service in _KEPT for one in watched()[service].blinds])
    if not isinstance(outcome, Answered) or not outcome.value:
        return outcome
    denials = [
        grant for grant in found if grant.effect == "Deny" and not grant.open and all(map(exempts, grant.conditions))
    ]
    kept = [grant for grant in denials if any(grant.covers(action) for action in _LOGS)]
    if not kept:
        return Answered(value=False, places=places(own), note="nothing denies deleting their logs")
    unjudged = all_denied(own, found, [one for service in _KEPT for one in watched()[service].unjudged])
    if isinstance(unjudged, Answered) and not unjudged.value:
        return Unanswered(f"{unjudged.note}, and its effect is unknown", kept[0].place)
    return outcome._replace(places=tuple(dict.fromkeys((*outcome.places, kept[0].place))))


def _one_does(own: list[Gathered], found: tuple[Grant, ...], does: Callable[[Grant], bool]) -> Outcome:
    """Whether a statement does; one of which something is unknown may."""
    says = [said(does(one), one.place) if one.open is None else unknown(one.open) for one in found]
    return some(says, parts=own)


def _bars_root(grant: Grant) -> bool:
    everything = not grant.but_actions and any(one.text in {"*", "*:*"} for one in grant.actions)
    denies = grant.effect == "Deny" and everything and everywhere(grant)
    return denies and all(_is_root(one) for one in grant.conditions)


def _is_root(condition: ConditionKey) -> bool:
    named = condition.key == "aws:principalarn" and condition.operator in {"stringlike", "arnlike", "stringequals"}
    return named and any(re.fullmatch(r"arn:[^:]+:iam::[^:]*:root", one.text) for one in condition.values)


def _keeps_functions_closed(own: list[Gathered], found: tuple[Grant, ...]) -> Outcome:
    urls = all_denied(own, found, ("lambda:createfunctionurlconfig", "lambda:updatefunctionurlconfig"), _without_iam)
    permissions = all_denied(own, found, ("lambda:addpermission",), _for_everybody)
    policies = all_denied(own, found, ("lambda:putresourcepolicy",))
    return every(one for one in (urls, permissions, policies) if one is not None)


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


def _bars_regions(grant: Grant) -> bool:
    wide = grant.but_actions or any(one.text == "*" for one in grant.actions)
    rest = [one for one in grant.conditions if not exempts(one)]
    by_region = [one for one in rest if one.key == "aws:requestedregion" and one.operator == "stringnotequals"]
    narrow = bool(by_region) and len(by_region) == len(rest)
    return narrow and wide and grant.effect == "Deny" and everywhere(grant)


_NEED_MFA = (
    *("iam:attachrolepolicy", "iam:putrolepolicy", "iam:createaccesskey", "iam:updateassumerolepolicy"),
    *("dynamodb:deletetable", "s3:deletebucket", "lambda:deletefunction", "kms:schedulekeydeletion"),
)
"""Actions that represent all that destroy or change permissions: a policy that denies these denies the others too."""


def _no_mfa(condition: ConditionKey) -> bool:
    """Whether a condition holds where MFA is false, and where nothing is said of it."""
    false = [one.text for one in condition.values] == ["false"]
    return condition.key == "aws:multifactorauthpresent" and condition.operator == "boolifexists" and false


_CODE = ("lambda:getfunction", "lambda:getlayerversion", "lambda:getlayerversionbyarn", "ecr:batchgetimage")
_TOKENS = ("lambda:createmicrovmauthtoken", "lambda:createmicrovmshellauthtoken")
_DATA = ("s3:getobject", "dynamodb:getitem", "sqs:sendmessage", "kms:decrypt", "secretsmanager:getsecretvalue")
"""Actions that represent access to each of the services that a data perimeter has to cover."""


def _outside(condition: ConditionKey) -> bool:
    """Whether a condition holds for every principal outside the organization, services of AWS apart."""
    by_organization = condition.key == "aws:principalorgid" and condition.operator.startswith("stringnotequals")
    services = condition.key == "aws:principalisawsservice" and condition.operator in {"bool", "boolifexists"}
    return by_organization or (services and [one.text for one in condition.values] == ["false"])


# --- what statements deny to all but named principals
_EXEMPTS = ("arnnotlike", "arnnotequals", "stringnotlike", "stringnotequals")


def everywhere(grant: Grant) -> bool:
    """Whether a statement is about every resource."""
    return not grant.but_resources and any(one.text == "*" for one in grant.resources)


def exempts(condition: ConditionKey) -> bool:
    """Whether a condition spares some named principals, and nothing else."""
    named = condition.key in {"aws:principalarn", "aws:principalorgid"}
    return named and condition.operator in _EXEMPTS and all(_is_named(one) for one in condition.values)


def _is_named(one: Pattern) -> bool:
    name = re.sub(r"\A(?:role|user|assumed-role)/", "", arn_parts(one.text)[-1])
    return one.open is None and name.strip("*?/") != ""


def denies(grant: Grant, action: str, holds: Callable[[ConditionKey], bool] | None = None) -> bool | None:
    """Whether a statement denies an action on everything, but for principals that are spared.

    `holds` says which further condition it may have; it must then have one, unless it has none at all.
    """
    if grant.effect == "Allow" or not everywhere(grant):
        return None if grant.open is not None and not grant.actions else False
    rest = [one for one in grant.conditions if not exempts(one)]
    if rest and (holds is None or not all(holds(one) for one in rest)):
        return None if any(not one.key or one.open is not None for one in rest) else False
    covered = grant.covers(action)
    return None if covered and grant.open is not None else covered


def all_denied(
    parts: Sequence[Gathered],
    found: Sequence[Grant],
    actions: Iterable[str],
    holds: Callable[[ConditionKey], bool] | None = None,
) -> Outcome:
    """Whether every action is denied by a statement."""
    rests = []
    for action in actions:
        decided = [(grant, denies(grant, action, holds)) for grant in found]
        decisive = next((grant for grant, denied in decided if denied), None)
        hidden = next((grant for grant, denied in decided if denied is None), None)
        if decisive is not None:
            rests.append(yes(decisive.place))
        elif hidden is not None:
            open_one = next((grant.open for grant in found if grant.open is not None), None)
            return unknown(open_one or Unknown("a statement cannot be read", hidden.place))
        else:
            return Answered(value=False, places=places(parts), note=f"nothing denies {action}")
    return every(rests)


_QUESTIONS: Mapping[str, _Ask] = {
    # to stop, narrow and blind CloudTrail, Config and GuardDuty, and to delete logs
    "denies-stopping-detection": _keeps_detection,
    # every action, to the root user
    "denies-root": partial(_one_does, does=_bars_root),
    # function URLs without IAM, permissions for every principal, and policies put as a whole
    "denies-public-functions": _keeps_functions_closed,
    # all but some Regions, global services apart
    "denies-other-regions": partial(_one_does, does=_bars_regions),
    "denies-leaving": partial(all_denied, actions=("organizations:leaveorganization", "organizations:accepthandshake")),
    # what destroys or changes permissions, where MFA is false or missing
    "denies-without-mfa": partial(all_denied, actions=_NEED_MFA, holds=_no_mfa),
    # to all but named principals: reading of code, layers and images; tokens and shells of MicroVMs
    "denies-reading-code": partial(all_denied, actions=_CODE),
    "denies-microvm-tokens": partial(all_denied, actions=_TOKENS),
}
"""What service control policies are asked to deny, by the analysis."""
rows("guardrail")({name: partial(_asked, ask=ask) for name, ask in _QUESTIONS.items()})
rows("guardrail")({  # of resource control policies: data, to principals outside the organization
    "denies-outsiders": partial(_asked, ask=partial(all_denied, actions=_DATA, holds=_outside), kind=_RCP)
})  # fmt: skip
