"""Public Slack applications, labeled by hand, held against what import, check and ask say of them.

The labels, and the words in them, are described at the top of tests/beside/labels.yaml.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, cast

import yaml

from scripts.labelled.expected import OPEN, SURFACES, Fact, Label, called_by, expected, is_closed, of_repository
from scripts.labelled.found import library
from threatmodel import Assessment, Finding, InputError, assess, load_model
from threatmodel.assessment.risk import least_score
from threatmodel.assessment.safety import DEFAULT_THRESHOLD
from threatmodel.authoring.importing.plan import Imported, imported
from threatmodel.authoring.interview import items
from threatmodel.authoring.sheets import sheets
from threatmodel.graph.building import Graph
from threatmodel.model.facts import EVIDENCE
from threatmodel.model.system import REQUESTS, Trigger
from threatmodel.reading.files import Files

TODAY = datetime.date(2026, 11, 29)
"""The day on which every application is read: runtimes are supported until a day."""
Verdict = Literal["right", "asked", "wrong"]
FORGED = "slack-request-forgery"
"""The threat where nothing verifies that Slack sent a request."""
ASKED, NOT_SLACK, NO_ROUTE = "asked", "not Slack", "no such route"
UNVERIFIED = {"nothing": frozenset({"none", "ignored"}), "the legacy token alone": frozenset({"legacy-token"})}
"""What is reported as a finding where nothing verifies a signature: by the label's word."""
_PLANES = ("pipeline", "workspace")
_SERVERLESS = "LambdaFunction"
_DIGEST = re.compile("[0-9A-F]{8}$")
"""What the CDK adds to the name of a resource."""


class Judged(NamedTuple):
    """A judgment of the tool: its subject and what of it, the label, what was found, and the verdict."""

    of: str
    what: str
    label: object
    found: object
    verdict: Verdict


class Found(NamedTuple):
    """What is said of an application; functions have the names of its template.

    `callers` are those of each route, by function.  `facts` are the known ones of functions, of the pipeline and of the
    workspace: the value, and whether it is evidence.  `shown` are functions with a confirmed finding that shows that no
    signature is verified, `forged` those for which it is confirmed that anyone can pose as Slack.  `questions`,
    `prompts` and `asked` count what a person is asked before a verdict, and the things to state in it; `others` the
    things that change no verdict of a check.
    """

    callers: Mapping[str, Mapping[str, str]]
    facts: Mapping[str, Mapping[str, tuple[object, bool]]]
    shown: frozenset[str]
    forged: frozenset[str]
    questions: int
    prompts: int
    asked: int
    others: int = 0


class Measured(NamedTuple):
    """An application with its judgments; `problem` says why nothing can be imported from it."""

    name: str
    label: Label
    problem: str = ""
    found: Found | None = None
    callers: tuple[Judged, ...] = ()
    facts: tuple[Judged, ...] = ()


def labels(path: Path) -> Mapping[str, Label]:
    """Return the labels in a file by repository, each OWNER/NAME."""
    return cast("Mapping[str, Label]", yaml.safe_load(path.read_text(encoding="utf-8")))


def measured(folder: Path, said: Mapping[str, Label], *, named: bool = False) -> Iterator[Measured]:
    """Yield each labeled application that has a folder OWNER__NAME in this one.

    With `named`, the model also names what is beside the template, where import does not.
    """
    for name, label in said.items():
        own = folder / name.replace("/", "__")
        if own.is_dir():
            try:
                yield compared(name, label, found_in(own, label, named=named))
            except InputError as error:
                yield Measured(name, label, error.problems[0].message)


def found_in(folder: Path, label: Label, *, named: bool = False) -> Found:
    """Return what a first run in a folder says.  Raises InputError where it has nothing that can be imported."""
    model = folder / "threatmodel.yaml"
    result = _imported(folder, label, model)
    text = naming(result.text, label) if named else result.text
    graph = load_model(model, Files(texts={model: text}), today=TODAY)
    return _found(assess(graph, library(), today=TODAY), {one.id: _name(one.resource, label) for one in result.added})


def _imported(folder: Path, label: Label, model: Path) -> Imported:
    """Import the folder, or what a CDK app made; a template with another name than import looks for is named."""
    made = folder / "cdk.out"
    try:
        return imported(made if label["kind"] == "cdk" and made.is_dir() else folder, "", model, Files())
    except InputError:
        kind = label["kind"] if label["kind"] == "serverless" else ""
        return imported(folder / label["template"], kind, model, Files())


def naming(text: str, label: Label) -> str:
    """Return a model's text that also names the source, the manifest and the checkout."""
    beside = {"code": "cdk.out" if label["kind"] == "cdk" else ".", "repository": "."}
    if label["manifest"] != "none":
        beside["slack"] = label["manifest"]["path"]
    lines = [f"  - {{{key}: {path}}}\n" for key, path in beside.items() if f"{{{key}:" not in text]
    head, found, rest = text.partition("\nevidence:")
    first, _, others = rest.partition("\n")
    return f"{head}{found}{first}\n{''.join(lines)}{others}"


def _name(resource: str, label: Label) -> str:
    """Return a function's name in the file; the Serverless Framework and the CDK make logical IDs of the names."""
    if label["kind"] == "cdk":
        return _DIGEST.sub("", resource)
    made = {f"{_logical(name)}{_SERVERLESS}": name for name in label["functions"]}
    return made.get(resource, resource) if label["kind"] == "serverless" else resource


def _logical(name: str) -> str:
    return name[:1].upper() + name[1:].replace("-", "Dash").replace("_", "Underscore")


def _found(assessment: Assessment, names: Mapping[str, str]) -> Found:
    graph, every = assessment.graph, list(items(assessment))
    open_items = [one for one in every if one.score >= least_score(DEFAULT_THRESHOLD)]
    functions = {
        node.id: names.get(node.id, node.id) for node in graph.system.nodes.values() if node.kind == "function"
    }
    planes = {one: one for one in _PLANES if one in graph.elements}
    confirmed = [one for one in assessment.findings if one.verdict in {"open", "reduced", "accepted"}]
    forged = {one.target.id for one in confirmed if one.threat.id == FORGED}
    shown = {one.target.id for one in confirmed if _shows_no_signature(one)}
    return Found(
        callers={name: _routes(graph, one) for one, name in functions.items()},
        facts={name: dict(_known(graph, one)) for one, name in (functions | planes).items()},
        shown=frozenset(name for one, name in functions.items() if one in shown),
        forged=frozenset(name for one, name in functions.items() if one in forged),
        questions=len({one.question.source for one in open_items}),
        prompts=sum(1 for _ in sheets(open_items)),
        asked=len(open_items),
        others=len(every) - len(open_items),
    )


def _shows_no_signature(finding: Finding) -> bool:
    answers = (support for answer in finding.answers for support in answer.state.support)
    return any(one.fact == "verifies_signature" and one.value is False for one in (*finding.why, *answers))


def _known(graph: Graph, element: str) -> Iterator[tuple[str, tuple[object, bool]]]:
    for fact, value in graph.elements[element].facts.items():
        if value.size:
            yield fact, (value.value, value.size >= EVIDENCE)


def _routes(graph: Graph, function: str) -> dict[str, str]:
    """Return who calls each route of a function, several with commas; surfaces of Slack in the words of labels."""
    found: dict[str, list[str]] = {}
    relation = graph.lists[function].get("triggers")
    for one in relation.items if relation else ():
        if isinstance(one, Trigger) and one.by in REQUESTS:
            caller = ASKED if one.caller == "unknown" else NOT_SLACK
            method = "POST" if one.by == "slack" else one.detail
            said = SURFACES.get(one.detail, one.detail) if one.by == "slack" else caller
            found.setdefault(f"{method} {one.path or '/'}", []).append(said)
    return {route: ", ".join(dict.fromkeys(callers)) for route, callers in found.items()}


# --- held against the label


def compared(name: str, label: Label, found: Found) -> Measured:
    """Return an application's judgments."""
    return Measured(name, label, "", found, tuple(_callers(label, found)), tuple(_facts(label, found)))


def _callers(label: Label, found: Found) -> Iterator[Judged]:
    for route in label["routes"]:
        routes = found.callers.get(route["function"], {})
        caller = _caller(route["route"], routes)
        yield Judged(
            f"{route['route']} of {route['function']}",
            "callers",
            route["callers"],
            caller,
            caller_verdict(route["callers"], caller),
        )


def _caller(route: str, routes: Mapping[str, str]) -> str:
    """Return who calls a route; the only route of a function may be written in another way."""
    method, _, path = route.partition(" ")
    same = [one for one in routes if one.split(" ")[1] == path and one.split(" ")[0] in {method, "ANY", "*"}]
    chosen = same or (list(routes) if len(routes) == 1 else [])
    return routes[chosen[0]] if chosen else NO_ROUTE


def caller_verdict(callers: Sequence[str], found: str) -> Verdict:
    """Return the verdict on a route's caller: where the label leaves it open, it is right to ask."""
    if found == ASKED:
        return "right" if list(callers) == ["undecidable"] else "asked"
    if found == NO_ROUTE:
        return "asked"
    is_slack = any(one in SURFACES.values() for one in callers)
    known = set(found.split(", ")) <= set(callers) or (found == NOT_SLACK and not is_slack)
    return "right" if known else "wrong"


def _facts(label: Label, found: Found) -> Iterator[Judged]:
    for function, row in label["functions"].items():
        known = found.facts.get(function, {})
        for fact, value in expected(row, called_by(label, function)).items() if is_closed(row) else ():
            said = known.get(fact, (ASKED, False))[0]
            said = said is not None if fact == "timestamp_tolerance_seconds" and fact in known else said
            yield Judged(function, fact, value, said, fact_verdict(value, said))

    for plane, said_of in of_repository(label).items():
        known = found.facts.get(plane, {})
        for fact, value in said_of.items():
            stated = known.get(fact, (ASKED, False))[0]
            yield Judged(plane, fact, value, stated, fact_verdict(value, stated))


def fact_verdict(label: Fact, found: object) -> Verdict:
    """Return the verdict on a fact: what a label leaves open is right to ask."""
    if found == ASKED:
        return "right" if label == OPEN else "asked"
    return "right" if found == label else "wrong"
