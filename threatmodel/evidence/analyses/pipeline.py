"""What only code can answer about deployments: of which bytes, in which steps, and with a way back or without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from threatmodel.evidence.analyses.alerting import takes_back
from threatmodel.evidence.analyses.properties import (
    each,
    flag,
    number,
    read,
    stands,
    worded,
)
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import (
    Answer,
    Answered,
    Gathered,
    Outcome,
    Unanswered,
    all_of,
    doubt_of,
    doubted,
    every,
    judged,
    named,
    no,
    one_of,
    open_at,
    said,
    unknown,
    unless_unread,
    worst,
    yes,
)
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Scalar, Table, Unknown, links

# --- packages


@analysis("code", "image", "code-uri", "mutability")
def artifacts_immutable(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each package is named by what can mean one sequence of bytes only."""
    packages = named(parts, "code", "code-uri", "image")
    mutability = {part.resource.name: part.resource.doubt or part.node for part in named(parts, "mutability")}
    says = [doubted(_package(part, mutability, stack), doubt_of(part.resource, resource)) for part in packages]
    says += _built_by_sam(packages, resource, stack)
    return unless_unread(every(says, "", "a package is not deployed by version or digest"), stack, [True])


def _package(part: Gathered, mutability: Mapping[str, Node], stack: Stack) -> Answer:
    node = part.node
    if isinstance(node, Unknown):
        return unknown(node)
    if node is part.resource.properties and part.hidden is not None:
        return unknown(part.hidden)
    if part.part == "image":
        return _image(node, mutability, stack)
    if not isinstance(node, Table):  # CodeUri as a text: a folder or an object, and SAM uploads without a version
        return no(node.place) if worded(node) is not None else open_at(node)
    image = read(node, "ImageUri")
    if image is not None:
        return _image(image, mutability, stack)
    if read(node, "ZipFile") is not None:
        return yes(node.place)  # the code is in the template itself
    if read(node, "filename") is not None:
        pinned = read(node, "source_code_hash|code_sha256")
        return said(stands(pinned), node.place, open_at(pinned or node).why)
    version = read(node, "S3ObjectVersion|Version")
    bucket = stack.target(read(node, "S3Bucket|Bucket"))  # one without versions: what is put there overwrites what was
    status = read(bucket.properties, "VersioningConfiguration", "Status") if bucket is not None else None
    if worded(version) == "null" or worded(status) == "Suspended":
        return no((version or node).place)
    return said(stands(version), (version or node).place, open_at(version or node).why)


def _image(node: Node, mutability: Mapping[str, Node], stack: Stack) -> Answer:
    """A digest names the bytes; a tag does if its repository is immutable."""
    parts = getattr(node, "parts", ())  # without what only links tell
    written = "".join(part for part in parts if isinstance(part, str)) if parts else worded(node) or ""
    if "@" in written:  # only a digest may follow it
        return yes(node.place)
    if isinstance(node, Unknown):
        return unknown(node)
    repositories = [stack.resources.get(link.resource) for link in links(node)]
    tag = re.search(r":([A-Za-z0-9_.<>-]+)\Z", written)
    setting = next((mutability[one.name] for one in repositories if one is not None and one.name in mutability), None)
    immutable = worded(setting) == "IMMUTABLE" if setting is not None else None
    if immutable and (tag is None or tag[1] == "latest"):
        return Unanswered("it names no fixed tag", node.place)
    if setting is None and any(one is not None for one in repositories):
        return no(node.place)  # left out: a tag can be moved
    if worded(setting) == "IMMUTABLE_WITH_EXCLUSION" or isinstance(setting, Unknown):
        immutable = None
    return said(immutable, node.place, "it is unknown whether its tag can be moved")


def _built_by_sam(packages: Sequence[Gathered], resource: Resource, stack: Stack) -> Iterator[Answer]:
    """Functions that say nothing of their package: SAM builds it and uploads it without version."""
    known = {part.resource.name for part in packages}
    for function in stack.of_type("AWS::Serverless::Function"):
        if function.name not in known and read(function.properties, "InlineCode") is None:
            answer = unknown(function.opaque) if function.opaque is not None else no(function.place)
            yield doubted(answer, doubt_of(function, resource))


# --- deployments

_STEPS = ("canary", "linear", "all-at-once")
_LAMBDA = re.compile(r"(?:CodeDeployDefault\.Lambda)?(Canary|Linear|AllAtOnce)", re.IGNORECASE)
_OTHERS = re.compile(r"CodeDeployDefault\.(?!Lambda)")
_ROUTING = {"TimeBasedCanary": "canary", "TimeBasedLinear": "linear", "AllAtOnce": "all-at-once"}


@analysis("group", "preference", "configuration", "alarm", answers=("all-at-once", "canary", "linear"))
def deployment_steps(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """How traffic moves to a new version, where all groups do it alike."""
    steps: list[Answer] = []
    for part in _deploying(parts):
        hidden = part.hidden if part.part == "group" or isinstance(part.node, Unknown) else None
        doubt = hidden or doubt_of(part.resource, resource)
        if doubt is not None:
            steps.append(unknown(doubt))
        else:
            steps += _of_group(part, parts, stack) if part.part == "group" else (_preferred(part, parts, stack),)
    if not steps:
        return None
    steps += [Answered("all-at-once", (function.place,)) for function in _without(parts, stack)]
    known = [one for one in steps if isinstance(one, Answered)]
    if len({one.value for one in known}) > 1:
        at = next((one for one in known if one.value == "all-at-once"), known[0]).places[0]
        return Unanswered("functions are deployed in different ways", at)
    hidden_one = next((one for one in steps if isinstance(one, Unanswered)), None)
    return hidden_one or unless_unread(worst(known, _STEPS), stack, ("canary", "linear"))


def _deploying(parts: Sequence[Gathered]) -> tuple[Gathered, ...]:
    """Preferences, and the groups that do not come from one."""
    preferring = {part.resource.name for part in named(parts, "preference")}
    groups = tuple(part for part in named(parts, "group") if part.resource.made_by not in preferring)
    return (*named(parts, "preference"), *groups)


def _without(parts: Sequence[Gathered], stack: Stack) -> Iterator[Resource]:
    """SAM's functions without a preference, where others have one: they change at once."""
    preferring = {part.resource.name for part in named(parts, "preference")}
    grouped = {part.resource.made_by for part in named(parts, "group")}
    if preferring:
        for function in stack.of_type("AWS::Serverless::Function"):
            if function.name not in preferring | grouped and function.opaque is None:
                yield function


def _of_group(part: Gathered, parts: Sequence[Gathered], stack: Stack) -> Iterator[Answer]:
    """How a group moves traffic; nothing for one of another platform."""
    name = read(part.node, "DeploymentConfigName")
    if name is not None:
        if not _OTHERS.match(worded(name) or ""):
            yield _by_name(name, parts, stack)
        return
    application = stack.target(read(part.node, "ApplicationName"))
    platform = worded(read(application.properties, "ComputePlatform")) if application is not None else None
    if platform == "Lambda":
        yield Answered("all-at-once", (part.resource.place,))
    elif platform is None and application is None:
        yield Unanswered("what it deploys is not in this file", part.resource.place)


def _preferred(part: Gathered, parts: Sequence[Gathered], stack: Stack) -> Answer:
    on = flag(read(part.node, "Enabled"), left_out=True)
    kind = read(part.node, "Type")
    if read(part.resource.properties, "AutoPublishAlias") is None and part.resource.opaque is None:
        why = "without AutoPublishAlias, there is no alias whose traffic could shift in steps"
        return Unanswered(why, part.node.place)
    if on is False:
        return Answered("all-at-once", (part.node.place,))
    alias = read(part.resource.properties, "AutoPublishAlias")
    if not worded(alias):  # SAM moves traffic between versions of an alias
        at = part.node.place if alias is None else alias.place
        return Unanswered("without AutoPublishAlias, it shifts no traffic" if alias is None else open_at(alias).why, at)
    if alias is not None and (not isinstance(alias, Scalar) or "{{" in str(alias.value)):  # it names a resource, too
        return Unanswered("SAM creates no alias whose name is known only at deployment", alias.place)
    if on is None:
        return Unanswered(open_at(read(part.node, "Enabled") or part.node).why, part.node.place)
    return _by_name(kind, parts, stack) if kind is not None else Unanswered("its type is unknown", part.node.place)


def _by_name(name: Node, parts: Sequence[Gathered], stack: Stack) -> Answer:
    """How traffic moves by a configuration's name, or by what a configuration of this file holds."""
    target = stack.target(name)
    stated = worded(name)
    for part in named(parts, "configuration"):
        own = worded(read(part.node, "DeploymentConfigName"))
        if part.resource is target or (own is not None and own == stated):
            kind = read(part.node, "TrafficRoutingConfig", "Type")
            hidden = part.hidden or part.resource.doubt
            word = _ROUTING.get(worded(kind) or "", "") if hidden is None else ""
            if word in _FEWEST_MINUTES and not _by_steps(read(part.node, "TrafficRoutingConfig"), word):
                return Unanswered("its steps are unknown, or not those of a gradual deployment", part.resource.place)
            why = (hidden or open_at(kind or part.node)).why
            return Answered(word, (part.resource.place,)) if word else Unanswered(why, part.resource.place)
    found = _LAMBDA.match(stated or "") if target is None else None
    if found is None:
        return Unanswered(
            open_at(name).why if stated is None else "this deployment configuration is unknown", name.place
        )
    word = found[1].lower()
    return Answered(word if word in _FEWEST_MINUTES else "all-at-once", (name.place,))


_FEWEST_MINUTES = {"canary": 5, "linear": 1}
_MOST_PERCENT = 25
"""Of a step: CodeDeploy's own move a tenth, for five minutes at least where a canary is followed by the rest at once.

docs.aws.amazon.com/codedeploy: "deployment-configurations".
"""


def _by_steps(routing: Node | None, word: str) -> bool:
    """Whether a configuration moves a small part first, and waits before the next."""
    step = read(routing, f"TimeBased{word.capitalize()}")
    percent = number(read(step, f"{word.capitalize()}Percentage|percentage"))
    minutes = number(read(step, f"{word.capitalize()}Interval|interval"))
    few = percent is not None and percent <= _MOST_PERCENT
    return few and minutes is not None and minutes >= _FEWEST_MINUTES[word]


_STOP = "DEPLOYMENT_STOP_ON_ALARM"


@analysis("group", "preference", "configuration", "alarm")
def rolls_back_on_alarm(parts: Sequence[Gathered], resource: Resource, stack: Stack) -> Outcome:
    """Whether each deployment group, and each preference that makes one, goes back when an alarm goes off."""
    deploying = _deploying(parts)
    says = [
        doubted(_preference_returns(part, stack), doubt_of(part.resource, resource))
        for part in named(deploying, "preference")
    ]
    says += judged(named(deploying, "group"), resource, lambda part: _group_returns(part, stack))
    why = "this function has no deployment preference, but others have one"
    says += [Unanswered(why, function.place) for function in _without(parts, stack)]
    return unless_unread(every(says, "", "a deployment continues although an alarm fires"), stack, [True])


def _group_returns(part: Gathered, stack: Stack) -> Answer:
    place = part.resource.place
    configuration = read(part.node, "AlarmConfiguration")
    alarms = _switched(configuration, "Alarms")
    watching = takes_back(each(read(configuration, "Alarms")), None, stack)
    back = read(part.node, "AutoRollbackConfiguration")
    events = [worded(one) for one in each(read(back, "Events"))]
    returns = True if _STOP in events else None if None in events else False
    value = all_of((alarms, watching or None, _switched(back, "Events"), returns))
    return said(value, place, _NOT_WATCHED if watching is not True else "it is unknown whether its rollback is on")


def _switched(node: Node | None, name: str) -> bool | None:
    """Whether a part of a group is on and lists something."""
    if isinstance(node, Unknown):
        return None
    listed = [stands(one) for one in each(read(node, name))]
    return all_of((flag(read(node, "Enabled")), one_of(listed)))


_NOT_WATCHED = "it is unknown whether an alarm monitors the errors of the new version early enough"


def _preference_returns(part: Gathered, stack: Stack) -> Answer:
    """SAM switches the way back on wherever a preference names an alarm."""
    if isinstance(part.node, Unknown):
        return unknown(part.node)
    alarms = read(part.node, "Alarms")
    listed = [one for one in each(alarms) if not (isinstance(one, Scalar) and one.value is None)]
    on = flag(read(part.node, "Enabled"), left_out=True)
    there = one_of([stands(one) for one in listed])
    value = all_of((on, there, takes_back(listed, part.resource, stack) or None if there else there))
    return said(value, part.node.place, _NOT_WATCHED if there else open_at(alarms or part.node).why)
