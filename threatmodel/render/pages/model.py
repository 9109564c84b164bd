"""How a model file is written, as Markdown: an example, then every section and key, out of the shapes themselves."""

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
type: begin the file with `# yaml-language-server: $schema=model.schema.json`. Facts have a page of their own:
[facts.md](facts.md). What each error message means is in [errors.md](errors.md).

## An example

This is [example.yaml](example.yaml), a model with one of everything; `python tm.py -m docs/example.yaml --report` reads
it.
"""

_SAYING = """\
## Said, denied, left out

| written | means |
| --- | --- |
| a value | it is so, on the model's word |
| `false`, or a list `[]` | it is known not to be so; there are known to be none |
| `null` | known not to be set, for the facts whose meaning says what `null` is; an error everywhere else |
| left out | unknown: it counts for nothing, and becomes a question where a risk hangs on it |
| a key with nothing behind it | an error: write a value, or remove the line |

`name`, `description`, `out_of_scope` and the other keys that are no facts may always be left out, unless the tables
below say that they are required.

An element with `out_of_scope` is drawn in grey and has no findings; the reason is in the report. `defaults` hold facts
for every element of a kind; an element that states the fact itself keeps its own value.
"""

_TRIGGER_RULES = """\
A trigger names exactly one of `slack`, `http`, `authorizes`, `queue`, `store`, `service` and `schedule`:

| trigger | what starts the function |
| --- | --- |
| `{slack: slash-command, api: slack-api, path: /slack/order}` | Slack, through an api; also `interactivity`, `events` |
| `{http: POST, api: public-api, path: /orders}` | any other HTTP client, through an api |
| `{http: POST, api: public-api, caller: unknown}` | a client of which nobody has said whether it is Slack |
| `{authorizes: public-api}` | an api that asks it who may call |
| `{queue: work-queue}` | messages of a queue (SQS, SNS, EventBridge, Kinesis) |
| `{store: uploads}` | changes of a store: new files in S3, a DynamoDB stream |
| `{service: order-flow}` | a system under `externals`: a workflow of Step Functions, a Cognito pool, a rule of IoT |
| `{schedule: rate(5 minutes)}` | the clock |

`api` may be left out where the model has exactly one, and belongs to `slack` and `http` only. A function URL is an api
with `kind: function-url`. No `triggers:` means unknown, `triggers: []` nothing. That another function of the model
calls it is said there, by that function's `invokes`.

Which routes Slack calls, no template tells. `import` writes `caller: unknown` at each that may be one, and one question
asks; until it is answered, what threatens Slack's routes may apply. `tm ask` takes one answer for all of them. By
hand, write `{slack: ...}` for one that Slack calls, and take `caller` out of the others.
"""

_FLOW_RULES = """\
Flows are derived: you only name one to state its facts. Its id is `from:to:what`. `python tm.py --json` lists the ids
of all flows; one that is not among them is an error. Those that you will want:

| id | is |
| --- | --- |
| `internet:API:request`, `slack:API:slash-command` | a request to an api; with a WAF: `internet:waf:request`, `waf:API:filter` |
| `API:FUNCTION:invoke`, `FUNCTION:API:answer` | on to the function, and back |
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
    """The rules of a section that its keys do not tell."""
    match section:
        case "functions":
            return [_section("Triggers", _TRIGGER_RULES.rstrip(), TRIGGER.keys, level=3), _relations()]
        case "flows":
            return [_FLOW_RULES]
        case _:
            return [_RULES[section] + "\n"] if section in _RULES else []


_PUBLIC_RULES = """\
`public` changes what is asked and what there is to do, never what is true: a risk stays what it is. Where everybody is
meant to come in (a page that installs the app, a bucket of pictures), nobody is told to close the door. One question
asks which open doors are meant to be open; `unintended` answers it too: that one is to be closed."""

_RULES = {
    "apis": _PUBLIC_RULES,
    "stores": "`public` is as for [`apis`](#apis).",
    "controls": """\
Name the element where the control lives on one: `code-signing@order-bot`. A control of the account, the pipeline, the
workspace or the organization needs none: `incident-runbook`. `attested_by` needs `on` and `expires`; a statement
without it needs `planned_for`, or says whose work it is: `owner`, `ticket`, `due`. An attestation counts until the day
it expires; a plan or a ticket counts for nothing yet. `check` fails on an attestation that holds for over a year.""",
    "accepted_risks": """\
It holds until its day, and only while the claimed risk is not above the risk that was accepted. `check` warns thirty
days before, and fails where the day has passed, where the claimed risk is higher than what was accepted, where it
holds for more than a year, and where its finding is gone. `tm due` lists what ends. Where the finding is within the
tolerance anyway, the report says that it is not needed.""",
    "exemptions": """\
`INVARIANT@ELEMENT`, of the model's own invariants, of a platform file's or of a library's. An exemption is held to what
an accepted risk is held to: `check` warns thirty days before its day, and fails where the day has passed, where it lies
more than a year ahead, and where a policy's `acceptors` do not name its owner; `--ignore-acceptances` and a policy's
`ignore_acceptances` leave none in force. An invariant cannot be switched off, put in place of, or exempt an element
itself: only the model that has the element can, where everybody sees it.""",
    "ratings": "State `likelihood`, `impact` or both. They replace the library's, before any control.",
    "evidence": """\
An entry names exactly one file, by a path relative to the model: `{template: ../template.yaml}`. What the file says
counts more than what the model says; where they differ, both places are shown, and `check` fails. An element is the
resource of its name (`order-bot` is `OrderBotFunction` or `OrderBot`); where the names differ, say
`resources: {order-bot: Handler}`. With `functions: all` every function of the file belongs to the model, with the
resources that it meets; the model then adds only what a file cannot say. See [evidence.md](evidence.md).

`probe` names a saved result of `tm.py probe`, never a handler to run: `{probe: ../src/bot.probe.json, function: bot}`.
It is of the code in its own folder, or in `code`; when that has changed since, the result counts as a statement. See
[probe.md](probe.md).""",
    "externals": """\
`slack` is always there and needs no entry: `calls: [slack]`. A service of AWS that is no store, queue or secret is one
too, and lies in the account: `flow: {service: Step Functions}`. So is a function that is not in the model.""",
    "boundaries": "`inside` takes another boundary's id, or one of the usual ones (below).",
}
"""What a section's keys do not tell."""


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
            f"A function that states one of {_code(closing)} has told what it uses: those of the",
            "lists that it leaves out are then `[]`. `calls` stands for itself: left out, nobody knows which",
            "systems outside it calls; `calls: []` says none. With none of them, everything that the function",
            "uses is unknown. To say that it uses none of them, write `reads: []`.",
            "",
            "### Lists of which only a part is known",
            "",
            "A list that is stated is complete. One that may be longer is named beside it under `incomplete`, best",
            "with a reason: `incomplete: {reads: its role may read every table}`, or `incomplete: [triggers, reads]`.",
            "What its known members make true is true: they are drawn, assessed and counted. What needs that there",
            "is nothing else stays unknown, and one question asks for the rest. Once a list is whole, take it out of",
            "`incomplete`. `import` writes there what a file cannot show.",
            "",
        ]
    )


def _planes() -> str:
    listed = _code(PLANES)
    keys = [key for key in ELEMENTS["account"].keys if key not in FACT_KEYS["account"]]
    links = ", ".join(f"[{plane}](facts.md#{plane})" for plane in PLANES)
    text = (
        f"Sections {listed} describe what exists once and everything stands on. They take\n"
        f"these keys and their facts: {links}.\n"
        "One that is left out is assumed to exist and nothing is known of it; its threats stay questions."
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

A folder named under `library` holds threats and controls of your own, laid on top of the toolkit's: what has a new id
is added, what has the same id replaces, and its `library.yaml`, which makes even an empty folder a library, switches
others off with a reason: `off: {threats: {ID: why}, controls: {ID: why}, kinds: {workspace: why}}`, of which `kinds`
switches off every threat below that targets no other kind of element. A path starts at the model's folder and stays in
the project; `--library FOLDER` lays one more on top. `tm.py init` writes the first one, `tm.py new threat` and
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
            "For `boundary:` of an element, and `inside:` of a boundary of your own. Where nothing is said, a function",
            "lies in `execution`, or in `vpc` where it states `in_vpc: true`; an api in `edge`; stores, queues and",
            "secrets in `account`; an external system in `internet-zone`.",
            "",
            "| id | name | inside | who controls what is in it |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _drawn() -> str:
    """Who is drawn by itself, and which data travels by itself."""
    parties = [f"| `{party.id}` | {party.name} | `{party.zone}` |" for party in PARTIES]
    data = [f"| `{item.id}` | {item.name} | {item.classification} |" for item in DATA]
    return "\n".join(
        [
            "## What is drawn by itself",
            "",
            "| id | name | boundary |",
            "| --- | --- | --- |",
            *parties,
            "",
            "Their data cannot be stated; your own items under `data` stand beside it, named by `holds`.",
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
    "name": "what pictures and reports call it; the id where left out",
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
