"""Derived facts: what follows from lists and from the facts of neighbors.

The vocabulary says what each derived fact is and what it follows from; when one is unknown, the questions go there.
The function marked `@derives(kind, name)` computes it, and is only in this module (a flow's are computed with it): it
returns a Fact whose origin is the weakest of its inputs, or None for unknown.

A list may be open.  What one known member makes true is true, as well known as that member; what needs that there is
none such is false only where the list is closed, as well known as the list is.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

from threatmodel.graph.given import PASSING_REQUESTS, WITH_ROUTES, Given, highest, is_unsaid
from threatmodel.graph.members import Lists, Member, Members, any_in, members_of, none_in
from threatmodel.graph.own import OWN
from threatmodel.model.facts import Fact, Facts, Statement, either, known, stated
from threatmodel.model.runtimes import CHECKED, RUNTIMES
from threatmodel.model.system import REQUESTS, THROUGH, Node, Trigger
from threatmodel.model.vocabulary import CLASSIFICATIONS, Kind

# --- one function a fact

Derive = Callable[[Given, Node], Fact | None]
DERIVE: dict[str, dict[str, Derive]] = {}
"""What computes each derived fact, by kind and name; of flows they follow in `threatmodel.graph.flows`."""


def derives(kind: Kind, name: str) -> Callable[[Derive], Derive]:
    """Marks the function that computes a derived fact of a kind."""

    def marked(derive: Derive) -> Derive:
        DERIVE.setdefault(kind, {})[name] = derive
        return derive

    return marked


def _once(derive: Derive) -> Derive:
    """Computes a fact of an element once, from which others follow."""

    def remembered(given: Given, node: Node) -> Fact | None:
        key = (derive.__name__, node.id)
        if key not in given.derived:
            given.derived[key] = derive(given, node)
        return given.derived[key]

    return remembered


def _asked(given: Given, node: Node) -> list[str]:
    """The function itself, where requests start it: who sends these is a person's statement."""
    by = {trigger.by for trigger, _ in members_of(given.functions[node.id], "triggers")}
    return [node.id] if by & REQUESTS else []


def _unless_unsaid(given: Given, element: str, fact: Fact | None) -> Fact | None:
    """What a fact about callers is; false only where the callers of each route are stated."""
    return None if element in given.unsaid and fact is not None and not fact.value else fact


@derives("function", "slack_facing")
@_once
def _function_slack_facing(given: Given, node: Node) -> Fact | None:
    called = given.started_by(node.id, "slack")
    if not given.without_slack:
        called = given.unless_passed_on(node.id, PASSING_REQUESTS, called)
    return given.as_stated(_unless_unsaid(given, node.id, called), _asked(given, node))


@derives("function", "receives_slack_events")
def _receives_slack_events(given: Given, node: Node) -> Fact | None:
    events = any_in(
        given.functions[node.id], "triggers", lambda one: (one.item.by, one.item.detail) == ("slack", "events")
    )
    return given.as_stated(_unless_unsaid(given, node.id, events), _asked(given, node))


@derives("function", "web_facing")
def _function_web_facing(given: Given, node: Node) -> Fact | None:
    """Others than the callers that are meant can, where the code is known not to verify that Slack calls."""
    lists = given.functions[node.id]

    def calls(one: Member) -> bool:
        """Whether such callers come by a route, or by a service to which an API passes requests."""
        by_route = one.item.by == "http" and not is_unsaid(one)
        return by_route or (one.item.by == "service" and bool(given.apis_of(one.item)))

    others = any_in(lists, "triggers", calls)
    verifies = given.stated[node.id].get("verifies_signature")
    if node.id in given.unsaid and not (others and others.value) and verifies and verifies.size and not verifies.value:
        others = known(value=True, said=[verifies.said])
    if not given.runs_at_edge(node.id):  # what a CDN has it do with a request comes through no API
        others = given.unless_passed_on(node.id, WITH_ROUTES, others)
    return given.as_stated(_unless_unsaid(given, node.id, others), _asked(given, node))


@derives("function", "identifies_callers")
def _identifies_callers(given: Given, node: Node) -> Fact | None:
    """Unknown only where there is code that may: nothing else rejects a caller of an open route."""
    decides, rejects = (
        given.stated[node.id].get(name) for name in ("code_decides_callers", "code_rejects_unidentified")
    )
    if rejects is not None and rejects.size:
        return rejects
    may = decides is not None and decides.size > 0 and bool(decides.value)
    return None if may else stated(Statement(value=False, source="wiring", place=None))


@derives("function", "internet_facing")
@_once
def _internet_facing(given: Given, node: Node) -> Fact | None:
    return given.requested(node.id)


@derives("function", "request_rate")
@_once
def _request_rate(given: Given, node: Node) -> Fact | None:
    """The sum over the APIs whose requests start it; one without a rate is enough for there to be none."""
    lists = given.functions[node.id]
    triggers = [trigger for trigger, _ in members_of(lists, "triggers") if trigger.by != "authorizes"]
    apis = dict.fromkeys(api for trigger in triggers for api in given.apis_of(trigger))
    rates = [given.stated[api].get("throttle_rate") for api in apis]
    unlimited = [rate for rate in rates if rate is not None and rate.size and rate.value is None]
    if unlimited:
        return known(None, [max(unlimited, key=lambda rate: rate.size).said])
    every = lists.get("triggers")
    if every is None or every.closed is None or any(rate is None or not rate.size for rate in rates):
        return None
    found = [rate for rate in rates if rate is not None]
    return known(sum(rate.value for rate in found), [every.weakest, *(rate.said for rate in found)])


@derives("function", "requests_fit_reserve")
def _requests_fit_reserve(given: Given, node: Node) -> Fact | None:
    return _requests_fit(given, node, given.stated[node.id].get("reserved_concurrency"))


@derives("function", "requests_fit_quota")
def _requests_fit_quota(given: Given, node: Node) -> Fact | None:
    return _requests_fit(given, node, given.stated.get("account", {}).get("concurrent_executions"))


def _requests_fit(given: Given, node: Node, executions: Fact | None) -> Fact | None:
    """Whether requests at their highest rate, each running until the timeout, occupy no more executions than these."""
    rate, timeout = _request_rate(given, node), given.stated[node.id].get("timeout_seconds")
    if rate is not None and rate.value is None:
        return known(value=False, said=[rate.said])
    if rate is None or any(fact is None or not fact.size for fact in (timeout, executions)):
        return None
    facts = [fact for fact in (rate, timeout, executions) if fact is not None]
    fits = all(fact.value is not None for fact in facts) and rate.value * facts[1].value <= facts[2].value
    return known(fits, [fact.said for fact in facts])


@derives("function", "event_driven")
def _event_driven(given: Given, node: Node) -> Fact | None:
    """Started by what happens inside: where no list has it, another function may still be known to call it."""
    listed = given.started_by(node.id, *(by for by, through in THROUGH.items() if through != "api"))
    called = _called(given, node)
    return called if called is not None and not (listed is not None and listed.value) else listed


def _called(given: Given, node: Node) -> Fact | None:
    """That functions call it, by the best known of these; None where none is known to."""
    callers = given.before.callers.get(node.id, ())
    if not callers:
        return None
    return known(value=True, said=[max((one.fact for one in callers), key=lambda fact: fact.size).said])


_READ_BY_LAMBDA = {"queue": ("sqs", "kinesis"), "store": ("dynamodb", "kinesis")}
"""The kinds of queue and store that Lambda reads by itself, with the function's role: no policy lets them in."""


@derives("function", "started_by_policy")
def _started_by_policy(given: Given, node: Node) -> Fact | None:
    """True by the best known trigger that needs a policy; a queue or store of unknown kind leaves it unknown."""
    needs = [_needs_policy(given, member) for member in members_of(given.functions[node.id], "triggers")]
    return either([*needs, none_in([given.functions[node.id].get("triggers")])])


def _needs_policy(given: Given, member: Member) -> Fact | None:
    """Whether what starts a function has to be allowed by the function's resource policy."""
    trigger: Trigger = member.item
    if trigger.by not in _READ_BY_LAMBDA or trigger.source is None:
        return known(value=True, said=[member.fact.said])
    kind = given.stated[trigger.source.id].get("kind")
    if kind is None or not kind.size:
        return None
    return known(kind.value not in _READ_BY_LAMBDA[trigger.by], [member.fact.said, kind.said])


@derives("function", "uses_aws")
@_once
def _uses_aws(given: Given, node: Node) -> Fact | None:
    lists = given.functions[node.id]
    used = [any_in(lists, name, lambda _: True) for name in ("reads", "writes", "sends", "secrets", "invokes")]
    called = any_in(lists, "calls", lambda one: one.item != "slack" and bool(given.system.externals[one.item].service))
    return either([given.started_by(node.id, "queue", "store"), *used, called])


@derives("workspace", "sends_requests")
def _sends_requests(given: Given, _: Node) -> Fact | None:
    """By any function that Slack calls; where there is no function, nothing is known."""
    functions = [node for node in given.system.nodes.values() if node.kind == "function"]
    return either([_function_slack_facing(given, node) for node in functions]) if functions else None


@derives("function", "called_by_unverified")
@_once
def _called_by_unverified(given: Given, node: Node) -> Fact | None:
    """By the best known way from an api, or from a function that requests reach; ways may go in circles."""
    reached = given.ways_from_outside.get(node.id)
    if reached is not None:
        return known(value=True, said=[reached])
    unasked, nobody = none_in([given.functions[node.id].get("triggers")]), given.before.nothing_unlisted
    if unasked is None or nobody is None or node.id in given.after_doubt:
        return None
    inside = given.weakest_inside.get(node.id)
    return known(value=False, said=[unasked.said, nobody.said, *([inside] if inside is not None else [])])


@derives("function", "takes_requests")
def _takes_requests(given: Given, node: Node) -> Fact | None:
    return either([_internet_facing(given, node), _called_by_unverified(given, node)])


@derives("function", "starts_itself")
def _starts_itself(given: Given, node: Node) -> Fact | None:
    """By a circle among lists, or as evidence sees it, which a model that lacks the functions between cannot."""
    seen, circle = given.stated[node.id].get("starts_itself"), given.loops.of(node.id)
    return seen if seen is not None and seen.size and seen.value else circle


_DETECTED = {"sqs", "sns", "s3"}
"""The kinds through which Lambda follows a loop (docs.aws.amazon.com/lambda: "invocation-recursion")."""


@derives("function", "loop_detected")
def _loop_detected(given: Given, node: Node) -> Fact | None:
    """False by one link that Lambda does not follow; a queue or store of unknown kind leaves it unknown."""
    circle, through = given.loops.of(node.id), given.loops.through(node.id)
    if circle is None or not circle.value:
        return circle
    facts = [given.stated[one].get("kind") for one in through if one != "slack"]
    kinds = [kind for kind in facts if kind is not None and kind.size]
    undetected = [kind.said for kind in kinds if kind.value not in _DETECTED]
    if "slack" in through or undetected:
        return known(value=False, said=[circle.said, *undetected[:1]])
    return known(value=True, said=[circle.said, *(kind.said for kind in kinds)]) if len(kinds) == len(facts) else None


@derives("function", "posts_to_slack")
def _posts_to_slack(given: Given, node: Node) -> Fact | None:
    return any_in(given.functions[node.id], "calls", lambda member: member.item == "slack")


@derives("function", "calls_outside")
def _calls_outside(given: Given, node: Node) -> Fact | None:
    return any_in(given.functions[node.id], "calls", lambda _: True)


@derives("function", "in_workflow")
def _in_workflow(given: Given, node: Node) -> Fact | None:
    """A service that starts it and whose name is not stated may be a workflow."""
    lists = given.functions[node.id]

    def service(name: str) -> str:
        external = given.system.externals.get(name)
        return external.service.lower() if external is not None else ""

    def starts(member: Member) -> bool:
        trigger = member.item
        name = service(trigger.source.id) if trigger.source is not None else ""
        return trigger.by == "service" and (not name or _WORKFLOWS in name)

    started = any_in(lists, "triggers", starts)
    calls = any_in(lists, "calls", lambda member: _WORKFLOWS in service(member.item))
    return either([given.stated[node.id].get("durable"), started, calls])


_WORKFLOWS = "step functions"


@derives("function", "uses_secrets")
def _uses_secrets(given: Given, node: Node) -> Fact | None:
    return any_in(given.functions[node.id], "secrets", lambda _: True)


@derives("function", "data_classification")
def _class_handled(given: Given, node: Node) -> Fact | None:
    """The highest class among what starts a function and what it reads and writes; no better known than these lists."""
    classes: list[Fact | None] = []
    said: list[Statement] = []
    for members, class_of in _handled(given, given.functions[node.id]):
        if members is None or members.closed is None:
            classes.append(None)
        else:
            said.append(members.weakest)
        for member in members.known if members is not None else ():
            one = class_of(member)
            classes.append(None if one is None or not one.size else known(one.value, [one.said, member.fact.said]))
    if given.before.callers.get(node.id):
        classes.append(None)  # what callers pass has no class itself
    found = highest(classes) if classes else known("public", said)
    if found is None or found.value == CLASSIFICATIONS[-1]:
        return found
    return known(found.value, [found.said, *said])


def _handled(given: Given, lists: Lists) -> Iterator[tuple[Members | None, Callable[[Member], Fact | None]]]:
    """The lists through which data come to a function and leave it, each with the class of a member."""
    yield lists.get("triggers"), given.class_started_by
    for name in ("reads", "writes"):
        yield lists.get(name), lambda member: given.class_held(member.item)


_STALE = datetime.timedelta(days=365)
"""How long a runtime without an announced last day may be assumed to be supported by the table."""


@derives("function", "runtime_supported")
def _runtime_supported(given: Given, node: Node) -> Fact | None:
    """Whether AWS still patches a function's runtime, by the table; unknown where the table does not tell."""
    runtime = given.stated[node.id].get("runtime")
    if given.today is None or runtime is None or not runtime.size or runtime.value not in RUNTIMES:
        return None
    last = RUNTIMES[runtime.value]
    if last is None and given.today - CHECKED > _STALE:
        return None
    if last is None or given.today < last:
        return known(value=True, said=[runtime.said])
    ended = f"support for {runtime.value} ended on {last}"
    return known(value=False, said=[runtime.said._replace(note="; ".join(filter(None, (runtime.said.note, ended))))])


def _of_own(follows: Callable[[Facts], Fact | None]) -> Derive:
    return lambda given, node: follows(given.stated[node.id])


for _name, _follows in OWN.items():
    derives("function", _name)(_of_own(_follows))


@derives("function", "role_grants_only_logging")
def _role_opens_nothing(given: Given, node: Node) -> Fact | None:
    opens = either([_uses_aws(given, node), OWN["role_over_privileged"](given.stated[node.id])])
    return None if opens is None else known(not opens.value, [opens.said])


@derives("function", "scanned_by_inspector")
def _scanned_by_inspector(given: Given, _: Node) -> Fact | None:
    inspector = given.stated.get("account", {}).get("inspector_lambda")
    return None if inspector is None or not inspector.size else known(inspector.value, [inspector.said])


@derives("pipeline", "exposes_secret")
def _exposes_secret(given: Given, _: Node) -> Fact | None:
    """Only a file that was read can show it: hard-coded-secret is about those that no file shows."""
    seen = given.stated.get("pipeline", {}).get("secret_in_files")
    is_seen = seen is not None and seen.size > 0 and seen.value
    return seen if is_seen else stated(Statement(value=False, source="wiring", place=None))


@derives("api", "slack_facing")
def _api_slack_facing(given: Given, node: Node) -> Fact | None:
    found = _unless_unsaid(given, node.id, given.starts_any("slack", node.id))
    return given.as_stated(found, given.asked_by_request.get(node.id, ()))


@derives("api", "web_facing")
def _api_web_facing(given: Given, node: Node) -> Fact | None:
    """Callers other than Slack come through it, or any caller: an integration with a service does not authenticate.

    Of one that calls no function, only a closed list of what it passes on shows that there are no callers.
    """
    handed = any_in(given.lists[node.id], "passes_to", lambda _: True)
    functions = given.asked_by_request.get(node.id, ())
    if not functions or (handed is not None and handed.value):
        return handed
    found = _unless_unsaid(given, node.id, given.starts_any("http", node.id))
    return given.as_stated(found, functions)


@derives("store", "data_classification")
@derives("queue", "data_classification")
def _class_held(given: Given, node: Node) -> Fact | None:
    return given.class_held(node.id)


@derives("store", "personal_data")
def _personal_data(given: Given, node: Node) -> Fact | None:
    return any_in(given.lists[node.id], "holds", lambda member: given.system.data[member.item].personal)


@derives("queue", "starts_functions")
@derives("store", "starts_functions")
def _starts_functions(given: Given, node: Node) -> Fact | None:
    return given.starts_any(node.kind, node.id)
