"""The reference of model files as Markdown: an example, then every section and key, from their definitions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from threatmodel.model.file import ELEMENTS, FACT_KEYS, MODEL, PLATFORM, SECTIONS, TRIGGER
from threatmodel.model.reference_architecture import DATA, PARTIES, RESERVED, ZONES
from threatmodel.model.vocabulary import PLANES, RELATIONS
from threatmodel.reading.shape import (
    ID,
    LONGEST_ID,
    Date,
    Either,
    Flag,
    Items,
    Key,
    NamedItems,
    Number,
    Record,
    Shape,
    Text,
    Word,
)

_INTRODUCTION = """\
# Model files

Generated from `threatmodel/model/file.py` and `threatmodel/model/reference_architecture.py` by `python3 dev.py docs`.
A model is one YAML file under `models/`. Editors that know `models/model.schema.json` complete and check it while you
type: begin the file with `# yaml-language-server: $schema=model.schema.json`. [facts.md](facts.md) lists the
facts, and [errors.md](errors.md) explains each error message.

## An example

[example.yaml](example.yaml) is a model with one of everything. `python tm.py -m docs/example.yaml --report` shows its
report.
"""

_SAYING = """\
## Stated, denied, unknown

| written | means |
| --- | --- |
| a value | it is claimed to be so |
| `false`, or a list `[]` | known not to be so; known to be empty |
| `null` | known not to be set, for the facts whose meaning describes `null`; an error for all others |
| left out | unknown: it has no effect, and becomes a question where a risk depends on it |
| a key without a value | an error: write a value, or remove the line |

`name`, `description`, `out_of_scope` and the other keys that are not facts are optional, unless the tables below
mark them as required.

An element with `out_of_scope` is drawn in gray and has no findings; the report shows the reason. `defaults` sets facts
for every element of a kind; an element that states the fact itself keeps its value.
"""

_TRIGGER_RULES = """\
A trigger names exactly one of `slack`, `http`, `authorizes`, `queue`, `store`, `service` and `schedule`:

| trigger | what starts the function |
| --- | --- |
| `{slack: slash-command, api: slack-api, path: /slack/order}` | Slack, through an api; also `interactivity`, `events` |
| `{http: POST, api: public-api, path: /orders}` | any other HTTP client, through an api |
| `{http: POST, api: public-api, caller: unknown}` | a client that may be Slack: not stated |
| `{authorizes: public-api}` | an API whose authorizer it is |
| `{queue: work-queue}` | messages of a queue (SQS, SNS, EventBridge, Kinesis) |
| `{store: uploads}` | changes of a store: new files in S3, a DynamoDB stream |
| `{service: order-flow}` | a system under `externals`: a workflow of Step Functions, a Cognito pool, a rule of IoT |
| `{schedule: rate(5 minutes)}` | a schedule |

`api` may be left out where the model has exactly one, and belongs to `slack` and `http` only. A function URL is an api
with `kind: function-url`. No `triggers:` means unknown; `triggers: []` means none. A function of the model that
calls it states so under its `invokes`.

A template does not show which routes Slack calls. Where something speaks of Slack (a name, a path, a variable, the
description, the repository), `import` writes `caller: unknown` for each POST that may be one. A GET may be one if its
function has a Slack token. One question asks about them, and until it is answered, threats to Slack's routes may apply.
`tm ask` accepts one answer for all of them. By hand, write `{slack: ...}` for a route that Slack calls, and remove
`caller` from the others. Without a sign a route that nothing authenticates counts as open.
"""

_FLOW_RULES = """\
Flows are derived: name one only to state its facts. Its id is `from:to:what`. `python tm.py --json` lists the ids
of all flows; any other id is an error. Common ones:

| id | is |
| --- | --- |
| `internet:API:request`, `slack:API:slash-command` | a request to an api; with a WAF: `internet:waf:request`, `waf:API:filter` |
| `API:FUNCTION:invoke`, `FUNCTION:API:answer` | the request to the function, and its response |
| `QUEUE:FUNCTION:poll`, `STORE:FUNCTION:change` | messages and changes that start a function |
| `FUNCTION:STORE:read`, `FUNCTION:STORE:write` | `reads`, `writes` |
| `FUNCTION:QUEUE:send`, `FUNCTION:SECRET:read` | `sends`, `secrets` |
| `FUNCTION:FUNCTION:invoke` | `invokes` |
| `FUNCTION:EXTERNAL:call` | `calls` |
| `EXTERNAL:FUNCTION:start`, `clock:FUNCTION:start` | a service or a schedule that starts a function |
"""  # noqa: E501 - a row of a table is one line

_IDS = f"""\
## Ids

An id has lower-case letters, digits and single hyphens, begins with a letter and has at most {LONGEST_ID} characters.
Elements, data, externals and boundaries share one name space: no id twice. These are taken:

"""


def model_page(example: str) -> str:
    """The reference of model files, with this example in it."""
    parts = [
        _INTRODUCTION,
        f"```yaml\n{example.rstrip()}\n```\n",
        _SAYING,
        _section("The file", "One mapping with these keys, in any order.", MODEL.keys),
        *(_part(key) for key in MODEL.keys if _record(key.shape) is not None and key.name not in PLANES),
        _planes(),
        _platform(),
        _IDS + _code(sorted(RESERVED)) + ".\n",
        _zones(),
        _drawn(),
    ]
    return "\n".join(parts)


def _record(shape: Shape) -> Record | None:
    """The record that a section holds, or whose entries it holds."""
    inner = shape.of if isinstance(shape, NamedItems | Items) else shape
    return inner if isinstance(inner, Record) else None


def _part(key: Key) -> str:
    """A section of the file: what it holds, and the keys of what it holds."""
    found = _record(key.shape)
    if found is None:
        return ""
    kind = SECTIONS.get(key.name, "")
    facts = {fact.name for fact in FACT_KEYS.get(kind, ())}
    says = [f"{_capital(key.meaning)}."] if not kind else []
    if isinstance(key.shape, NamedItems):
        own = key.shape.pattern is ID
        says.append(f"A mapping: {'ids of your choice' if own else key.shape.expected} → {_plural(found.noun)}.")
    if isinstance(key.shape, Items):
        says.append("A list.")
    if kind:
        says.append(f"Beside these keys: the [facts of {found.noun}](facts.md#{kind}).")
    if key.name == "flows":
        says.append("The keys are the [facts of a flow](facts.md#flow).")
    if key.name == "defaults":
        says.append("Each kind takes the [facts](facts.md) of that kind.")
    shown = [one for one in found.keys if one.name not in facts]
    text = _section(f"`{key.name}`", " ".join(says), shown if key.name not in {"flows", "defaults"} else found.keys)
    return "\n".join([text, *_more(key.name)])


def _more(section: str) -> list[str]:
    """The rules of a section beside its keys."""
    match section:
        case "functions":
            return [_section("Triggers", _TRIGGER_RULES.rstrip(), TRIGGER.keys, level=3), _relations()]
        case "flows":
            return [_FLOW_RULES]
        case _:
            return [_RULES[section] + "\n"] if section in _RULES else []


_PUBLIC_RULES = """\
`public` changes questions and actions, never a risk. If anyone on the internet is meant to reach the element (a page
that installs the app, a bucket of pictures), no action asks to restrict it. One question asks which entry points are
meant to be public. `unintended` answers it too: that one is to be restricted."""

_RULES = {
    "apis": _PUBLIC_RULES,
    "stores": "`public` is as for [`apis`](#apis).",
    "controls": """\
Name the element of the control: `code-signing@order-bot`. A control of the account, the pipeline, the
workspace or the organization needs none: `incident-runbook`. `attested_by` needs `on` and `expires`. A statement
without it needs `planned_for`, or the work's `owner`, `ticket` or `due`. An attestation counts until the day it
expires; a plan or a ticket has no effect yet. `check` fails on an attestation that lasts over a year.""",
    "accepted_risks": """\
It holds until it expires, and only while the claimed risk is at most the accepted risk. `check` warns thirty days
before. It fails if the acceptance has expired, lasts more than a year, or matches no finding, and if the claimed risk
is higher than the accepted one. `tm due` lists what ends. The report shows an acceptance that is not needed because
the finding is within the accepted level.""",
    "exemptions": """\
`INVARIANT@ELEMENT`, of the model's own invariants, of a platform file's or of a library's. The rules are those
of accepted risks: `check` warns thirty days before the end. It fails if the exemption has expired, lasts more than a
year, or has an owner that a policy's `acceptors` do not name. `--ignore-acceptances` and a policy's
`ignore_acceptances` leave none in force. An invariant cannot be switched off or replaced, and it cannot exempt an
element: only the model that has the element can.""",
    "ratings": "State `likelihood`, `impact` or both. They replace the library's values before controls.",
    "evidence": """\
An entry names exactly one file, by a path relative to the model: `{template: ../template.yaml}`. The file
takes precedence over the model. Where they differ, both locations are shown, and `check` fails. An element is the
resource of its name (`order-bot` is `OrderBotFunction` or `OrderBot`); where the names differ, write
`resources: {order-bot: Handler}`. With `functions: all` every function of the file belongs to the model, with the
resources that it meets; the model then adds only what a file cannot show. See [evidence.md](evidence.md).

`probe` names a saved result of `tm.py probe`, never a handler to run: `{probe: ../src/bot.probe.json, function: bot}`.
It applies to the code in its folder, or in `code`. If the code has changed since, the result counts as a claim. See
[probe.md](probe.md).""",
    "externals": """\
`slack` is always present and needs no entry: `calls: [slack]`. An AWS service that is not a store, queue or secret is
one too, in the account: `flow: {service: Step Functions}`. So is a function that is not in the model.""",
    "boundaries": "`inside` takes another boundary's id, or one of the usual ones (below).",
}
"""Rules of a section beside its keys."""


def _relations() -> str:
    """What closes what among the lists of a function."""
    uses = [row for row in RELATIONS["function"].values() if row.verb]
    closing = [row.name for row in uses if row.closed_together]
    rows = [f"| `{row.name}` | ids of {' and '.join(map(_plural, row.to))} |" for row in uses]
    return "\n".join(
        [
            "### What a function uses",
            "",
            "| list | holds |",
            "| --- | --- |",
            *rows,
            "",
            f"A function that states one of {_code(closing)} states what it uses: those of the",
            "lists that it leaves out are then `[]`. `calls` is separate: if it is left out, the systems outside",
            "that the function calls are unknown; `calls: []` means none. Without any of these lists, everything",
            "that the function uses is unknown. If it uses none of them, write `reads: []`.",
            "",
            "### Lists that are known in part",
            "",
            "A list that is stated is complete. Name one that may be longer under `incomplete`, with a reason if",
            "possible: `incomplete: {reads: its role may read every table}`, or `incomplete: [triggers, reads]`.",
            "Its known members are drawn, assessed and counted. Whatever requires the list to be complete stays",
            "unknown, and one question asks for the rest. Once a list is complete, remove it from `incomplete`.",
            "`import` writes there what a file cannot show.",
            "",
        ]
    )


def _planes() -> str:
    listed = _code(PLANES)
    keys = [key for key in ELEMENTS["account"].keys if key not in FACT_KEYS["account"]]
    links = ", ".join(f"[{plane}](facts.md#{plane})" for plane in PLANES)
    text = (
        f"Sections {listed} describe what exists once and all systems depend on. They take\n"
        f"these keys and their facts: {links}.\n"
        "One that is left out is assumed to exist, and its facts are unknown; its threats stay undetermined."
    )
    return _section("The platform: account, pipeline, workspace, organization", text, keys)


def _platform() -> str:
    text = (
        "Files named under `uses` describe the platform for many models. A path starts at the model's folder and\n"
        f"stays in the project. Such a file takes\n{_code(key.name for key in PLATFORM.keys)}\n"
        "and nothing else. A model may add facts to a plane; a fact or a control that two files state is an error."
    )
    return f"## Platform files\n\n{text}\n\n{_LIBRARIES}"


_LIBRARIES = """\
## Your own library

A folder named under `library` holds your threats and controls, on top of the built-in library. An entry with a new id
is added; one with an existing id replaces that entry. Its `library.yaml`, which makes even an empty folder a library,
switches others off with a reason: `off: {threats: {ID: why}, controls: {ID: why}, kinds: {workspace: why}}`. `kinds`
switches off every threat that targets no other kind of element. A path starts at the model's folder and stays in
the project; `--library FOLDER` adds one more on top. `tm.py init` writes the first one, `tm.py new threat` and
`new control` write into the last one named.
"""


def _zones() -> str:
    rows = [
        f"| `{zone.id}` | {zone.name} | {f'`{zone.inside}`' if zone.inside else ''} | {zone.controlled_by} |"
        for zone in ZONES
    ]
    return "\n".join(
        [
            "## The usual trust boundaries",
            "",
            "For `boundary:` of an element, and `inside:` of a boundary that the model adds. By default, a function",
            "is in `execution`, or in `vpc` if it states `in_vpc: true`; an API in `edge`; stores, queues and",
            "secrets in `account`; an external system in `internet-zone`.",
            "",
            "| id | name | inside | who controls what is in it |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _drawn() -> str:
    """The parties and the data that every model has."""
    parties = [f"| `{party.id}` | {party.name} | `{party.zone}` |" for party in PARTIES]
    data = [f"| `{item.id}` | {item.name} | {item.classification} |" for item in DATA]
    return "\n".join(
        [
            "## What every picture has",
            "",
            "| id | name | boundary |",
            "| --- | --- | --- |",
            *parties,
            "",
            "Their data cannot be stated; items under `data` are added to it, named by `holds`.",
            "",
            "| data | name | classification |",
            "| --- | --- | --- |",
            *data,
            "",
        ]
    )


# --- tables of keys


def _section(title: str, text: str, keys: Sequence[Key], level: int = 2) -> str:
    head = [f"{'#' * level} {title}", "", text, ""] if text else [f"{'#' * level} {title}", ""]
    if not keys:
        return "\n".join(head)
    return "\n".join([*head, "| key | type | required | meaning |", "| --- | --- | --- | --- |", *map(_row, keys), ""])


def _row(key: Key) -> str:
    meaning = key.meaning or _USUAL.get(key.name, "")
    return f"| `{key.name}` | {_type(key.shape)} | {'yes' if key.required else ''} | {meaning} |"


_USUAL: dict[str, str] = {
    "name": "its name in pictures and reports; the id if left out",
    "description": "what it is",
    **{kind: f"for every {kind}" for kind in SECTIONS.values()},
}
"""The meaning of keys whose shape leaves it out."""


def _type(shape: Shape) -> str:
    """What a value is, in words."""
    match shape:
        case Flag():
            return "true or false"
        case Number():
            return f"whole number, {shape.low} to {shape.high:,}"
        case Word():
            return f"{'from least to most: ' if shape.ordered else 'one of '}{', '.join(shape.words)}"
        case Date():
            return "date: 2027-03-31"
        case Text():
            return "text" if shape.expected == "text" else shape.expected.removeprefix("a ").removeprefix("an ")
        case Items():
            return f"list: {_type(shape.of)}"
        case Record():
            return shape.noun.removeprefix("a ").removeprefix("an ").removeprefix("the ")
        case NamedItems():
            return f"mapping: {_plural(shape.noun)}"
        case Either(word, whole):
            return f"{_type(word)}; or a mapping: {_type(whole)}"
        case _:
            return "value"


_PLURALS = {"a statement about a control": "statements about controls", "a control": "controls"}


def _plural(noun: str) -> str:
    """``a store`` as ``stores``."""
    bare = noun.removeprefix("a ").removeprefix("an ")
    ending = f"{bare[:-1]}ies" if bare.endswith("y") else f"{bare}s"
    return _PLURALS.get(noun, ending)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
