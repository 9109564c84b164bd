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
_Asked = tuple[str, str, Callable[[Iterable[object]], bool], str]
_ROOT: Sequence[_Asked] = [
    ("aws:principalarn", r"stringlike|arnlike|stringequals", any, r"arn:[^:]+:iam::[^:]*:root"),
]
_WITHOUT_IAM: Sequence[_Asked] = [
    ("lambda:functionurlauthtype", r"stringnotequals|stringnotlike|stringnotequalsifexists", all, "AWS_IAM"),
    ("lambda:functionurlauthtype", r"stringequals|stringlike", any, "NONE"),
]
_FOR_EVERYBODY: Sequence[_Asked] = [("lambda:principal", r"stringequals|stringlike", any, r"\*")]
_NO_MFA: Sequence[_Asked] = [("aws:multifactorauthpresent", "boolifexists", all, "false")]  # where nothing is said, too
_OUTSIDE: Sequence[_Asked] = [  # services of AWS apart
    ("aws:principalorgid", r"stringnotequals\w*", any, ".*"),
    ("aws:principalisawsservice", r"bool|boolifexists", all, "false"),
]
"""Conditions of denials, each way to spell one: the key, the operators, and what any or all of the values are."""


def _asks(condition: ConditionKey, ways: Sequence[_Asked]) -> bool:
    """Whether a condition is spelled in one of the ways."""
    return any(
        condition.key == key
        and re.fullmatch(operators, condition.operator) is not None
        and bool(condition.values)
        and how(re.fullmatch(value, one.text) for one in condition.values)
        for key, operators, how, value in ways
    )


_Ask = Callable[[list[Gathered], tuple[Grant, ...]], Outcome]
"""What some policies say to a question, from where they stand and what they state."""


def _asked(parts: Sequence[Gathered], resource: Resource, stack: Stack, *, ask: _Ask, kind: str) -> Outcome:
    """Answer a question by the policies of a kind that AWS Organizations has for an account.

    AWS answers which are above it.  A file tells only to what they are attached: it denies where that is nothing, and
    never shows that the account is a member, because the management account has no such policy.
    """
    guards = (part for part in parts if part.part == "guardrail")
    of_kind = {None, kind}  # of AWS's answers, all are service control policies
    own = [
        part
        for part in guards
        if part.resource.type != _POLICY or worded(read(part.resource.properties, "Type")) in of_kind
    ]
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
    outcome = _all_denied(own, found, [one for service in _KEPT for one in watched()[service].blinds])
    if not isinstance(outcome, Answered) or not outcome.value:
        return outcome
    denials = [
        grant for grant in found if grant.effect == "Deny" and not grant.open and all(map(exempts, grant.conditions))
    ]
    kept = [grant for grant in denials if any(grant.covers(action) for action in _LOGS)]
    if not kept:
        return Answered(value=False, places=places(own), note="nothing denies deleting their logs")
    unjudged = _all_denied(own, found, [one for service in _KEPT for one in watched()[service].unjudged])
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
    return denies and all(_asks(one, _ROOT) for one in grant.conditions)


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


_CODE = ("lambda:getfunction", "lambda:getlayerversion", "lambda:getlayerversionbyarn", "ecr:batchgetimage")
_TOKENS = ("lambda:createmicrovmauthtoken", "lambda:createmicrovmshellauthtoken")
_DATA = ("s3:getobject", "dynamodb:getitem", "sqs:sendmessage", "kms:decrypt", "secretsmanager:getsecretvalue")
"""Actions that represent access to each of the services that a data perimeter has to cover."""


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


def denies(grant: Grant, action: str, ways: Sequence[_Asked] = ()) -> bool | None:
    """Whether a statement denies an action on everything, but for principals that are spared.

    `ways` are those to spell a further condition that it may have; it must then have one, unless it has none at all.
    """
    if grant.effect == "Allow" or not everywhere(grant):
        return None if grant.open is not None and not grant.actions else False
    rest = [one for one in grant.conditions if not exempts(one)]
    if not all(_asks(one, ways) for one in rest):
        return None if any(not one.key or one.open is not None for one in rest) else False
    covered = grant.covers(action)
    return None if covered and grant.open is not None else covered


def _all_denied(
    own: Sequence[Gathered],
    found: Sequence[Grant],
    actions: Iterable[str],
    ways: Sequence[_Asked] = (),
) -> Outcome:
    """Whether every action is denied by a statement."""
    rests = []
    for action in actions:
        decided = [(grant, denies(grant, action, ways)) for grant in found]
        decisive = next((grant for grant, denied in decided if denied), None)
        hidden = next((grant for grant, denied in decided if denied is None), None)
        if decisive is not None:
            rests.append(yes(decisive.place))
        elif hidden is not None:
            open_one = next((grant.open for grant in found if grant.open is not None), None)
            return unknown(open_one or Unknown("a statement cannot be read", hidden.place))
        else:
            return Answered(value=False, places=places(own), note=f"nothing denies {action}")
    return every(rests)


def _each_denied(own: list[Gathered], found: tuple[Grant, ...], *, of: Mapping[str, Sequence[_Asked]]) -> Outcome:
    """Whether each of some actions, in a row, is denied under its own conditions."""
    outcomes = (_all_denied(own, found, actions.split(), ways) for actions, ways in of.items())
    return every(one for one in outcomes if one is not None)


_PUBLIC: Mapping[str, Sequence[_Asked]] = {
    "lambda:createfunctionurlconfig lambda:updatefunctionurlconfig": _WITHOUT_IAM,
    "lambda:addpermission": _FOR_EVERYBODY,
    "lambda:putresourcepolicy": (),
}
_QUESTIONS: Mapping[str, tuple[str, _Ask]] = {
    # to stop, narrow and blind CloudTrail, Config and GuardDuty, and to delete logs
    "denies-stopping-detection": (_SCP, _keeps_detection),
    # every action, to the root user
    "denies-root": (_SCP, partial(_one_does, does=_bars_root)),
    # function URLs without IAM, permissions for every principal, and policies put as a whole
    "denies-public-functions": (_SCP, partial(_each_denied, of=_PUBLIC)),
    # all but some Regions, global services apart
    "denies-other-regions": (_SCP, partial(_one_does, does=_bars_regions)),
    "denies-leaving": (
        _SCP,
        partial(_all_denied, actions=("organizations:leaveorganization", "organizations:accepthandshake")),
    ),
    # what destroys or changes permissions, where MFA is false or missing
    "denies-without-mfa": (_SCP, partial(_all_denied, actions=_NEED_MFA, ways=_NO_MFA)),
    # to all but named principals: reading of code, layers and images; tokens and shells of MicroVMs
    "denies-reading-code": (_SCP, partial(_all_denied, actions=_CODE)),
    "denies-microvm-tokens": (_SCP, partial(_all_denied, actions=_TOKENS)),
    # data, to principals outside the organization
    "denies-outsiders": (_RCP, partial(_all_denied, actions=_DATA, ways=_OUTSIDE)),
}
"""What policies of a kind are asked to deny, by the analysis."""
rows("guardrail")({name: partial(_asked, ask=ask, kind=kind) for name, (kind, ask) in _QUESTIONS.items()})
