"""The source of a folder as statements about the functions whose handlers are in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from threatmodel.beside.code.inline import Template
from threatmodel.beside.code.look import Look, look
from threatmodel.beside.code.modules import Opening, Parsed
from threatmodel.beside.code.observed import CERTAIN, OPENS, SERVES, SIGN, Observed
from threatmodel.beside.code.observed import GRANTS as GRANTED
from threatmodel.beside.folder import Folder
from threatmodel.beside.slack_manifest import RequestUrl
from threatmodel.beside.urls import NOWHERE
from threatmodel.evidence.beside.handlers import Handler, Unread
from threatmodel.evidence.beside.handlers import handlers as found_handlers
from threatmodel.evidence.beside.kinds import Found, by_direction, of_code, visible_secrets
from threatmodel.evidence.deployed import Deployed, archived, built_otherwise, code_root, inline
from threatmodel.evidence.relations.ways import Start
from threatmodel.graph.elements import VISIBLE_SECRET, LeftOpen, Read
from threatmodel.model.facts import Statement, Statements
from threatmodel.model.system import REQUESTS
from threatmodel.reading.problems import Place, Problem
from threatmodel.stacks.values import Table, get, items, unknowns


class Looked(NamedTuple):
    """What was seen of the handlers of a folder, by function, and what was not read."""

    handlers: Mapping[str, tuple[Handler, Look]]
    unread: Sequence[Unread]


def serves(seen: Look) -> Sequence[RequestUrl]:
    """Return the features of Slack that a handler is made for, each with the line that shows it."""
    return [RequestUrl(one.value, one.note, NOWHERE, one.place) for one in seen.observed if one.what == SERVES]


def opens(seen: Look) -> frozenset[str] | None:
    """Return the services of AWS that the rights of a handler can be used for; None if its code may call others."""
    return next((one.value for one in seen.observed if one.what == OPENS), None)


def looked(found: Found) -> Looked:
    """Look at the handlers of the functions that are deployed from a folder."""
    folder: Folder = found.opened
    unread: list[Unread] = [*folder.unread]
    handlers = {
        function: (
            one,
            look(one.parsed, one.file, one.name, one.root, (*one.openings, *_elsewhere(found, function, one.deployed))),
        )
        for function, one in found_handlers(found, Parsed(folder), unread)
    }
    if not handlers and not unread:
        why = "no file of the evidence deploys a function from this folder; name the function with function: ID"
        if isinstance(folder, Template):
            why = "this file has no function whose code is inline"
        unread.append((_shown(folder), why, found.source.place))
    return Looked(handlers, unread)


def _shown(folder: Folder) -> str:
    return folder.path if isinstance(folder, Template) else f"{folder.path}/"


def state(found: Found) -> tuple[Statements, Read]:
    """Return what the source states of the functions that are deployed from its folder, and what was read."""
    folder: Folder = found.opened
    every: Looked = found.looked
    unread = [*every.unread]
    statements: Statements = {}
    left_open = [
        LeftOpen(function, "verifies_signature", why, place, ())
        for function, why, place in every.unread
        if function in found.system.nodes and _takes_requests(found, function)
    ]
    files = {stack.file for one in found.held for stack in (one.stack, *one.stack.joined.values())}
    notes: list[Problem] = [*visible_secrets(folder, folder.data, files)]
    signs: list[str] = []
    for function, (_, seen) in every.handlers.items():
        unread += [(function, opening.why, opening.place) for opening in seen.openings]
        said = _Said(found, function, requests=_takes_requests(found, function))
        for observed in seen.observed:
            said.add(observed)
        statements[function] = said.statements
        left_open += said.open(seen.openings)
        notes += said.notes
        signs += filter(None, (said.of_slack,))
        for secret, statement in _granted(found, function, seen):
            statements.setdefault(secret, {}).setdefault("grants", []).append(statement)
        for secret, statement in said.secrets:
            statements.setdefault(secret, {}).setdefault("kept_in", []).append(statement)
    notes += of_code(folder, [note.place for note in notes])
    read = Read(
        file=_shown(folder),
        kind=found.source.kind,
        elements={function: f"{one.file}:{one.name}" for function, (one, _) in every.handlers.items()},
        unread=tuple(dict.fromkeys((*unread, *folder.skipped))),
        left_open=tuple(left_open),
        notes=tuple(notes),
        signs=tuple(signs),
    )
    return statements, read


class _Said:
    """What is said of one function: statements by fact, and of the facts that stay open, the signs."""

    def __init__(self, found: Found, function: str, *, requests: bool) -> None:
        self.found, self.function, self.requests = found, function, requests
        self.statements: dict[str, list[Statement]] = {}
        self.secrets: list[tuple[str, Statement]] = []
        self.notes: list[Problem] = []
        self.signs: dict[str, Observed] = {}
        self.of_slack = ""

    def add(self, one: Observed) -> None:
        """Add an observation: what it shows, what it states, or of what it is a sign."""
        if one.what == "literal-secret":
            self._secret(one)
        if self.requests and one.what == "slack":
            self.of_slack = f"{self.function}: {one.note} ({one.place.short})"
        if one.what in OF_REQUESTS and not self.requests:
            return
        for fact, value in FACTS.get(one.what, ()):
            if one.how == SIGN:
                self.signs.setdefault(fact, one)
                continue
            said = Statement(one.value if value is SHOWN else value, "source", one.place, one.note)
            counted = [said]
            if one.how == CERTAIN:
                counted = by_direction("function", fact, said, self.found.ways, "code")
            self.statements.setdefault(fact, []).extend(counted)

    def _secret(self, one: Observed) -> None:
        """Note a secret that is written in the code, and that the element that it is has its value there."""
        hint = "replace the secret, and read it from Secrets Manager or Parameter Store"
        self.notes.append(Problem(code=VISIBLE_SECRET, place=one.place, message=one.note, hint=hint))
        node = self.found.system.nodes[self.function]
        used = node.relations["secrets"].ids if "secrets" in node.relations else ()
        for name in used:
            grants = self.found.system.nodes[name].facts.get("grants")
            if grants is not None and grants.value == GRANTS.get(one.value):
                self.secrets.append((name, Statement("code", "code", one.place, one.note)))

    def open(self, openings: Sequence[Opening]) -> Iterator[LeftOpen]:
        """Yield the facts that stay open, each with the sign that speaks for it, or with why not all was read."""
        for fact, one in self.signs.items():
            if fact not in self.statements:
                yield LeftOpen(self.function, fact, one.note, one.place, ())
        if openings and self.requests and not {"verifies_signature"} & {*self.statements, *self.signs}:
            yield LeftOpen(self.function, "verifies_signature", openings[0].why, openings[0].place, ())


def _takes_requests(found: Found, function: str) -> bool:
    """Return whether requests reach a function, by the model or by a file."""
    if any(one.by in REQUESTS for one in found.system.nodes[function].triggers or ()):
        return True
    return any(start.by == "http" for start in _starts(found, function))


def _starts(found: Found, function: str) -> Iterator[Start]:
    for one in found.held:
        relations = one.lists.relations.get(one.matched.resources.get(function, ""))
        if relations is not None:
            yield from relations.triggers


def _granted(found: Found, function: str, seen: Look) -> Iterator[tuple[str, Statement]]:
    """Yield what secrets grant that variables of a function hold, by where its code hands them to."""
    shown = [one for one in seen.observed if one.what == GRANTED]
    for held in found.held if shown else ():
        name = held.matched.resources.get(function, "")
        relations, resource = held.lists.relations.get(name), held.stack.resources.get(name)
        if relations is None or resource is None:
            continue
        variables = get(resource.properties, "Environment", "Variables")
        for one in shown if isinstance(variables, Table) else ():
            variable, grants = one.value
            lines = {at.line for at in _places(variables, variable)} if isinstance(variables, Table) else set()
            for use in relations.lists["secrets"]:
                element = held.lists.element(use.resource)
                if element in found.system.nodes and any(place.line in lines for place in use.places):
                    said = Statement(grants, "source", one.place, one.note)
                    yield from ((element, each) for each in by_direction("secret", "grants", said, found.ways, "code"))


def _places(variables: Table, name: str) -> Iterator[Place]:
    """Yield where a variable is written."""
    if name in variables.keys:
        yield variables.keys[name]
    if name in variables.entries:
        yield variables.entries[name].place


_AUTHORIZERS = ("AWS::ApiGateway::Authorizer", "AWS::ApiGatewayV2::Authorizer")


def _elsewhere(found: Found, function: str, deployed: Deployed) -> Iterator[Opening]:
    """Yield why code that is not in the folder may run before the handler, or in its place."""
    place = deployed.resource.place
    for why in built_otherwise(deployed):
        yield Opening(why, place)
    layers = get(deployed.resource.properties, "Layers")
    if layers is not None and (items(layers) or any(unknowns(layers))):
        yield Opening("it has layers, and their code is not in the folder", layers.place)
    is_shown = code_root(deployed) is not None or inline(deployed) is not None or archived(deployed) is not None
    if not is_shown and not found.source.function:
        yield Opening("it is unknown whether what is deployed is built from this folder", place)
    apis = {start.source for start in _starts(found, function)}
    for one in found.held:
        for relations in one.lists.relations.values():
            for start in relations.triggers:
                if start.by == "authorizes" and start.source in apis:
                    yield Opening(
                        "an authorizer decides before it who may call", start.places[0] if start.places else place
                    )
        for resource in one.stack.resources.values():
            if resource.type in _AUTHORIZERS and get(resource.properties, "AuthorizerUri") is not None:
                yield Opening("an authorizer decides before it who may call", resource.place)


# --- which facts observations decide
SHOWN = object()
"""The value is the observation's own."""

FACTS: Mapping[str, tuple[tuple[str, Any], ...]] = {
    # request verification
    "nothing-verifies": (("verifies_signature", False),),
    "effect-first": (("verifies_signature", False),),
    "verifies": (("verifies_signature", True),),
    "scheme": (("verifies_signature", None),),
    "checks-callers": (("code_decides_callers", True),),
    "window": (("timestamp_tolerance_seconds", SHOWN),),
    "one-sided": (("timestamp_tolerance_seconds", None),),
    "no-window": (("timestamp_tolerance_seconds", None),),
    "constant-time": (("compares_in_constant_time", SHOWN),),
    "no-forwarded": (("ignores_forwarded_headers", True),),
    # logs and answers
    "logs-request": (("logs_redacted", False),),
    "tells-exception": (("errors_generic", False),),
    # input
    "interprets": (("input_reaches_interpreter", True), ("validates_input", False)),
    "no-interpreter": (("input_reaches_interpreter", False),),
    "fetches": (("fetches_given_urls", True),),
    "no-fetch": (("fetches_given_urls", False),),
    "fetches-unchecked": (("outbound_hosts_fixed", False),),
    "posts-given-text": (("posts_given_text", True),),
    "posts-unescaped": (("escapes_output", False),),
    "stores-whole": (("writes_given_fields", True), ("binds_listed_fields", False)),
    # stores and state
    "read-then-write": (("checks_before_writing", True),),
    "unconditional": (("writes_conditionally", False),),
    "conditional": (("writes_conditionally", True),),
    "no-writes": (("checks_before_writing", False), ("writes_given_fields", False)),
    "keeps-state": (("keeps_request_state", True),),
    "made-once": (("unique_after_restore", False),),
    "no-timeout": (("outbound_calls_resilient", False),),
    # purpose and authority
    "approvals": (("handles_approvals", True),),
    "no-approvals": (("handles_approvals", False),),
    "tokens": (("takes_tokens", True),),
    "no-tokens": (("takes_tokens", False),),
    "tenants": (("serves_several_tenants", True),),
    "one-tenant": (("serves_several_tenants", False),),
    "authorizes": (("authorizes_caller", True),),
    "no-oauth-state": (("binds_installation_state", False),),
    "unverified-token": (("takes_tokens", True), ("verifies_tokens", False)),
    "no-approver": (("checks_approver", False),),
    "any-object": (("checks_object_owner", False),),
    "any-channel": (("checks_audience", False),),
    "given-token": (("guards_task_tokens", False),),
    "idempotent": (("idempotent", True),),
    # language models
    "runs-model-text": (("runs_generated_code", True), ("generated_code_sandboxed", False)),
    "posts-model-text": (("model_output_cleaned", False),),
    "unpinned-tool": (("outside_tools_pinned", False),),
    "calls-model": (("calls_language_model", True),),
    "no-model": (("calls_language_model", False),),
    "no-model-limit": (("model_spend_limited", False),),
    "no-guardrail": (("model_guardrails", False),),
    "no-tools": (("model_uses_tools", False),),
    "no-outside-tools": (("uses_outside_tools", False),),
    "no-generated-code": (("runs_generated_code", False),),
    "no-agents": (("talks_to_agents", False),),
    "no-memory": (("model_reads_memory", False),),
}
"""By observation: the facts that it decides, with their values; of a sign, the facts of which it is one."""

GRANTS: Mapping[str, str] = {
    "signing secret": "slack-requests",
    "token": "slack-api",
    "app token": "slack-app-level",
    "webhook": "slack-webhook",
}
"""What a secret that is written in the code grants, by what it is."""

OF_REQUESTS = frozenset(
    {"nothing-verifies", "effect-first", "verifies", "scheme", "window", "one-sided", "no-window"}
    | {"given-token", "checks-callers", "any-object"}
)
"""What is said only of a function that requests reach: a worker verifies nothing, and need not."""
