"""Where text of a request arrives: in an interpreter, as an address or a path that is opened, in a message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from threatmodel.beside.code.flows import GIVEN
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.handled import given_to, is_handled
from threatmodel.beside.code.observed import CERTAIN, SIGN, Observed, Reading
from threatmodel.beside.code.syntax import Node, walk

EVALUATES = re.compile(
    r"\A(?:eval|exec|Function|builtins\.(?:eval|exec))\Z|\A(?:node:)?vm\.\w+\Z|\Apickle\.loads?\Z|\Amarshal\.loads\Z"
    r"|\Ayaml\.(?:load|unsafe_load|full_load)\Z|\Ajinja2\.Template\Z|\.from_string\Z|\A(?:dill|cPickle)\.loads?\Z"
    r"|\Ajsonpickle\.decode\Z|\Anode-serialize\.unserialize\Z"
)
_SAFE = frozenset({"SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"})
"""Loaders of YAML that make plain values only."""
SHELLS = re.compile(r"\Aos\.(?:system|popen)\Z|\A(?:node:)?child_process\.exec(?:Sync)?\Z|\Acommands\.getoutput\Z")
RUNS = re.compile(r"\Asubprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)\Z")
QUERIES = re.compile(r"\.(?:execute|executemany|query|raw|executescript)\Z")
_RUNS_SQL = re.compile(
    rf"{QUERIES.pattern}|(?:\A|\.)(?:execute_?statement|start_?query_?execution|\w+StatementCommand|StartQueryExecutionCommand)\Z",
    re.IGNORECASE,
)
_SQL = re.compile(
    r"\s*(?:select\b.{1,2000}\bfrom|(?:insert|replace)\s+into|delete\s+from|update\b.{1,200}\bset)\s",
    re.IGNORECASE | re.DOTALL,
)
"""How a text begins that is a statement of SQL."""
_SAYS = re.compile(
    r"(?:\A|\.)(?:print|log|trace|debug|info|warn|warning|error|exception|critical|\w*Error|Exception)\Z"
)
"""What is called with a text that only people read."""
_DATABASE = re.compile(
    r"cursor|conn|connection|\bdb\b|pool|pymysql|psycopg|sqlite|mysql|pg\b|knex|session|engine|client", re.IGNORECASE
)
FETCHES = re.compile(
    r"\A(?:requests|httpx)\.(?:get|post|put|patch|delete|head|request)\Z|\Aurllib\.request\.(?:urlopen|Request)\Z|\Afetch\Z"
    r"|\A(?:axios|got|node-fetch|superagent|needle|undici)(?:\.(?:get|post|put|patch|delete|head|request|fetch))?(?:\(.*\))?\Z"
    r"|(?:Session|session|http|PoolManager|AsyncClient|ClientSession)\([^)]*\)\.(?:get|post|put|patch|delete|request)\Z"
    r"|\A(?:node:)?https?\.(?:get|request)\Z|WebhookClient\Z|IncomingWebhook\Z|\.goto\Z|(?:\A|\.)(?:urlretrieve|from_url)\Z"
)
"""What requests an address; a browser that a program steers does so with `goto`."""
OPENS = re.compile(
    r"\A(?:open|io\.open|Image\.open|send_file)\Z|\A(?:node:)?fs(?:/promises|\.promises|-extra)?\.(?:read|create|write|open)\w*\Z"
    r"|\Apathlib\.Path\([^)]*\)\.(?:open|read_\w+|write_\w+)\Z"
)
"""What opens a file by its path."""
FINDS = re.compile(
    r"\.(?:find|find_?one|find_?one_?and_?\w+|(?:update|delete|replace)_?(?:one|many)|count_?documents)\Z",
    re.IGNORECASE,
)
"""What selects documents by an object, in which a value may be an operator: `{"$gt": ""}`."""
_DOCUMENTS = frozenset({"mongoose", "mongodb", "monk", "mongojs", "pymongo", "motor", "mongoengine", "papr"})
_TEXTS = frozenset(
    {"queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "rawQueryString", "params", "args"}
)
"""Parts of a request whose values are texts, and no objects."""
POSTS = re.compile(r"(?:chat_post\w+|chat_update|chat\.post\w+|chat\.update|chatPostMessage|postMessage|say|respond)\Z")


_DEEPEST = 8
"""Callers from which a path is given on."""


def sinks(reading: Reading) -> Iterator[Observed]:
    """Yield the first place of each kind where text of a request arrives."""
    seen: set[str] = set()
    for one in _all(reading):
        if one.what not in seen:
            seen.add(one.what)
            yield one


def _all(reading: Reading) -> Iterator[Observed]:
    for function, call, name in reading.program.sure_calls:
        if len(call.parts) > 1:
            yield from _at(reading, call, function, name)
    if any(_RUNS_SQL.search(name) for *_, name in reading.program.calls):
        for function in reading.program.surely:
            for node in function.nodes:
                if node.kind == "join" and _is_statement(node, function):
                    what = "a statement of SQL is put together with"
                    yield from _interpreted(reading, node, function, [node], what)


def _at(reading: Reading, call: Node, function: Function, name: str) -> Iterator[Observed]:
    first = call.parts[1]
    if (
        (EVALUATES.search(name) and not _SAFE.intersection(_mentioned(call)))
        or SHELLS.search(name)
        or (RUNS.search(name) and _in_shell(call))
    ):
        yield from _interpreted(reading, call, function, [first])
    elif QUERIES.search(name) and first.kind != "text" and _DATABASE.search(name):
        built = [part for part in _built(first, function) if part.kind == "join"]
        yield from _interpreted(reading, call, function, built)
    elif FINDS.search(name) and not _DOCUMENTS.isdisjoint(reading.program.modules.packages):
        what = f"{call.parts[0].name}() selects with an object, whose operators may be"
        yield from _interpreted(reading, call, function, list(_selecting(first, function)), what)
    if FETCHES.search(name):
        yield from _fetched(reading, call, function, first)
    elif OPENS.search(name):
        yield from _opened(reading, call, function, first)
    if POSTS.search(name):
        yield from _posted(reading, call, function)


def _is_statement(node: Node, function: Function) -> bool:
    """Return whether a text that is put together begins as a statement of SQL, and is more than a message."""
    first = node
    while first.kind == "join" and first.parts:
        first = first.parts[0]
    found = _SQL.match(first.name) if first.kind == "text" else None
    if found is None or found[0].split()[0].istitle():
        return False
    says = (one for one in function.nodes if one.kind == "call" and _SAYS.search(one.parts[0].name))
    return not any(one is node for call in says for one in walk(call))


def _mentioned(call: Node) -> Iterator[str]:
    """Yield the names that the options of a call end with."""
    for one in call.parts[2:]:
        yield (one.parts[0] if one.kind == "keyword" else one).name


def _built(node: Node, function: Function) -> Iterator[Node]:
    """Yield how a text is put together: an expression, or what its only variable is assigned."""
    yield node
    if node.kind == "name" and len(function.assigned.get(node.name, ())) == 1:
        yield function.assigned[node.name][0]


def _in_shell(call: Node) -> bool:
    shell = [one.parts[0] for one in call.parts[1:] if one.kind == "keyword" and one.name == "shell"]
    return any(one.kind == "constant" and one.name == "true" for one in shell)


def _interpreted(
    reading: Reading, where: Node, function: Function, parts: list[Node], what: str = ""
) -> Iterator[Observed]:
    for part in parts:
        if reading.flows.of(part, function) & GIVEN:
            how = SIGN if is_handled(reading, part, function, where) else CERTAIN
            brought = "an event" if "Records" in reading.program.words else "the request"
            note = f"{what or f'{where.parts[0].name}() gets'} text of {brought}"
            yield reading.at("interprets", how, (function, where), note)


def _fetched(reading: Reading, call: Node, function: Function, first: Node) -> Iterator[Observed]:
    options = [
        pair.parts[0] for pair in first.parts if pair.kind == "pair" and pair.name in {"url", "uri", "hostname", "host"}
    ]
    given = [one.parts[0] for one in call.parts[1:] if one.kind == "keyword" and one.name == "url"]
    for target in [*options, *given] or [first]:
        start = target.parts[0] if target.kind == "join" and target.parts else target
        if reading.flows.of(start, function) & GIVEN:
            note = f"{call.parts[0].name}() requests an address that the request names"
            yield reading.at("fetches", CERTAIN, (function, call), note)
            if not is_handled(reading, target, function, call, "address"):
                yield reading.at("fetches-unchecked", CERTAIN, (function, call), f"{note}, and nothing checks its host")


def _opened(reading: Reading, call: Node, function: Function, path: Node) -> Iterator[Observed]:
    """Yield that a path is opened of which the request gives whole parts, and of which nothing takes the directory."""
    for part, where in _segments(reading, path, function):
        if reading.flows.of(part, where) & GIVEN and not is_handled(reading, part, where, call, "path"):
            note = f"{call.parts[0].name}() opens a path that the request names"
            yield reading.at("fetches", CERTAIN, (function, call), note)
            yield reading.at("fetches-unchecked", CERTAIN, (function, call), f"{note}, and nothing checks it")


def _segments(reading: Reading, path: Node, function: Function, depth: int = 0) -> Iterator[tuple[Node, Function]]:
    """Yield the parts of a path that begin where a directory ends: of a text, and those that are joined."""
    values = list(_built(path, function))
    if path.kind == "name" and path.name not in function.assigned and depth < _DEEPEST:
        for given, caller, _ in given_to(reading, path.name, function):
            yield from _segments(reading, given, caller, depth + 1)
    for node in values:
        if node.kind == "call" and reading.program.dotted(node.parts[0], function).endswith("path.join"):
            yield from ((one, function) for one in node.parts[1:])
        elif node.kind == "join":
            after = (b for a, b in pairwise(node.parts) if a.kind == "text" and a.name.endswith("/"))
            yield from ((one, function) for one in (node.parts[0], *after))
        elif node.kind != "name":
            yield node, function


def _selecting(query: Node, function: Function) -> Iterator[Node]:
    """Yield the values of a query by an object that may be objects: as they are in a body of JSON, or all of it."""
    for node in _built(query, function):
        values = [pair.parts[0] for pair in node.parts if pair.kind == "pair"] if node.kind == "dict" else [node]
        for value in values:
            inside = [*walk(value), *(one for name in walk(value) for one in _built(name, function))]
            if value.kind in {"name", "attribute", "item"} and _TEXTS.isdisjoint(
                inner.name for one in inside for inner in walk(one)
            ):
                yield value


def _posted(reading: Reading, call: Node, function: Function) -> Iterator[Observed]:
    queued = "Records" in reading.program.words  # what wrote a record may have escaped it
    for one in call.parts[1:]:
        pairs = [pair for pair in one.parts if pair.kind == "pair"] if one.kind == "dict" else [one]
        for pair in pairs:
            value = pair.parts[0] if pair.kind in {"pair", "keyword"} and pair.parts else pair
            if pair.kind in {"pair", "keyword"} and pair.name not in {"text", "blocks", "attachments"}:
                continue
            if reading.flows.of(value, function) & GIVEN:
                note = f"{call.parts[0].name}() posts text of the request"
                own = reading.program.called(call, function) is not None  # it may post something else
                yield reading.at("posts-given-text", SIGN if own else CERTAIN, (function, call), note)
                if (
                    not (own or queued)
                    and value.kind in {"join", "name", "attribute"}
                    and not is_handled(reading, value, function, call)
                ):
                    yield reading.at("posts-unescaped", CERTAIN, (function, call), f"{note}, and nothing escapes it")
