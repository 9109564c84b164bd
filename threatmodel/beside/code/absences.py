"""What is nowhere in the code of a handler, said only where all of it was read; and signs, which decide nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from threatmodel.beside.code.effects import effect_of
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.models import TOOLS, model_calls
from threatmodel.beside.code.observed import CLAIMED, SIGN, Observed, Reading
from threatmodel.beside.code.sinks import EVALUATES, FETCHES, QUERIES, RUNS, SHELLS
from threatmodel.beside.code.syntax import Node, walk

_INTERPRETERS = (EVALUATES, SHELLS, RUNS, QUERIES)


def _word(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _segment(*words: str) -> re.Pattern[str]:
    """Return a pattern of a name, or of a part of a dotted name or path, that is one of some words."""
    return re.compile(rf"(?:\A|[./:$@-])(?:{'|'.join(words)})(?=\Z|[./:-])")


_RUNNING = _segment(
    *("eval", "exec", r"exec(?:Sync|File|file)\w*", "system", r"[pP]open\w*", "subprocess", "child_process"),
    *(r"spawn\w*", "execa", "shelljs", "zx", "vm2?", "isolated-vm", "Function", "pickle", "cPickle", "dill", "marshal"),
    *("shelve", "joblib", "jsonpickle", "yaml", "ruamel", "js-yaml", "node-serialize", "jinja2", "mako", "Template"),
    *("from_string", "render_template_string", "ejs", "handlebars", "pug", "nunjucks", "xml", "ElementTree", "lxml"),
    *(
        "xml2js",
        "xmldom",
        "libxmljs",
        "fast-xml-parser",
        r"execute\w*",
        r"query\w*",
        r"\w*Raw\w*",
        "cursor",
        "sqlalchemy",
    ),
    *("knex", "sequelize", r"psycopg\w*", "pymysql", "sqlite3", r"mysql\w*", "pg", "pg8000", r"\w*ExecuteStatement\w*"),
    *(
        r"start_query\w*",
        r"StartQuery\w*",
        "ctypes",
        "importlib",
        "__import__",
        r"create_subprocess_\w+",
        "runpy",
        "globalThis",
        "Reflect",
        "getattr",
        "builtins",
    ),
    *(
        "getoutput",
        "getstatusoutput",
        "pty",
        "ldap3?",
        "pymongo",
        r"mongo\w*",
        "neo4j",
        "numexpr",
        "asteval",
        "simpleeval",
    ),
)
"""Names of what runs a text as code, a command or a query, by whatever it is called there."""
_REQUESTING = _segment(
    *(
        "requests",
        "httpx",
        "aiohttp",
        r"urllib3?\.request",
        "urllib3",
        "urlopen",
        "urlretrieve",
        "http.client",
        "https",
    ),
    *("http2", "fetch", "node-fetch", "axios", "got", "undici", "superagent", "needle", "ky", r"\w*WebhookClient"),
    *("IncomingWebhook", "respond", "response_url", "socket", "net", "open", r"read_?[fF]ile\w*", "createReadStream"),
    *("read_text", "read_bytes", r"send_?[fF]ile", "send_from_directory", "pycurl", "playwright", r"puppeteer\w*"),
    *("selenium", "smart_open", "fsspec", "paramiko", "ftplib", "XMLHttpRequest", "EventSource", r"[wW]eb[sS]ocket\w*"),
)
"""Names of what requests an address or opens a path."""
_WRITES = re.compile(
    r"(?:put|update|delete|write|save|insert|commit|send|publish|invoke|execute|create|start|upload|post|patch|persist)"
    r"|(?:set|incr|add|rpush|lpush|append)\Z",
    re.IGNORECASE,
)
_IN_MEMORY = re.compile(r"hmac|hash|sign|Headers|\bdict\b|URLSearchParams|List\b|datetime|loads|parse", re.IGNORECASE)
APPROVALS = _word(r"approv|reject|den(?:y|ied)\b|task_?token|block_actions|interactive_message")
_BUTTONS = _word(r"\A(?:button|actions?|action_id|callback_id)\Z")
_TOKENS = _word(r"\bjwt\b|jsonwebtoken|\bjose\b|\bauthorization\b|bearer|id_token|access_token")
_TENANTS = _word(r"oauth|install|enterprise_id|team_id|client_secret|authorize")
_FORWARDED = _word(r"\A(?:host|forwarded|x-forwarded-\w+)\Z")
_MODELS = _word(
    r"bedrock|openai|anthropic|claude|gpt|llm|langchain|gemini|cohere|hugging|sagemaker|completion|mistral|ollama"
)
_MCP = _word(r"\bmcp\b|MultiServerMCPClient|modelcontextprotocol")
_AGENTS = _word(r"\ba2a\b|agent")
_MEMORY = _word(r"history|memory|embedding|vector|retriev|knowledge|conversations|replies")
_TOOLS = re.compile(rf"\A(?:{'|'.join(sorted(TOOLS))})\Z")
_CALLERS = _word(r"allow|authoriz|permit|is_admin|whitelist|user_id|user_name|channel_id|team_id|\buser\b|\bchannel\b")


class _Absence(NamedTuple):
    """What is nowhere: no call whose name fits, no word that fits; `of_model`: said only where a model is called."""

    note: str
    calls: tuple[re.Pattern[str], ...] = ()
    words: tuple[re.Pattern[str], ...] = ()
    of_model: bool = False


_ABSENCES: Mapping[str, _Absence] = {
    "no-interpreter": _Absence("no call to a shell, an evaluator or a database's query", _INTERPRETERS, (_RUNNING,)),
    "no-fetch": _Absence("no request to an address by HTTP", (FETCHES,), (_REQUESTING,)),
    "no-approvals": _Absence("no button, no action and no task token", words=(_BUTTONS, APPROVALS)),
    "no-tokens": _Absence("no JWT and no Authorization header is read", words=(_TOKENS,)),
    "one-tenant": _Absence("no installation, and no workspace is distinguished from another", words=(_TENANTS,)),
    "no-forwarded": _Absence("no Host and no X-Forwarded header is read", words=(_FORWARDED,)),
    "no-tools": _Absence("no call to the model offers tools", words=(_TOOLS, _MCP), of_model=True),
    "no-outside-tools": _Absence("no MCP server is used", words=(_MCP,), of_model=True),
    "no-generated-code": _Absence("nothing executes what the model writes", _INTERPRETERS, (_RUNNING,), of_model=True),
    "no-agents": _Absence("nothing is exchanged with another agent", words=(_AGENTS,), of_model=True),
    "no-memory": _Absence("no history, no memory and no retrieval", words=(_MEMORY,), of_model=True),
}
_SIGNS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "approvals": (APPROVALS, "speaks of an approval"),
    "tokens": (_TOKENS, "speaks of a token"),
    "tenants": (_TENANTS, "speaks of installations or of a workspace"),
    "authorizes": (_CALLERS, "reads who calls"),
}
_SLACK = re.compile(
    r"\A(?:response_url|trigger_id|url_verification|x-slack-\S+|@slack/\S+|slack_bolt\S*|SLACK_\w*(?:SIGN|VERIF)\w*)\Z",
    re.IGNORECASE,
)
"""Words of what only Slack sends, or serves."""
_CALLED: Mapping[str, tuple[re.Pattern[str], ...]] = {"interprets": _INTERPRETERS, "fetches": (FETCHES,)}


def absences(reading: Reading) -> Iterator[Observed]:
    """Yield what the code does nowhere, and what in it is a sign of something."""
    sight = _Sight(reading)
    if reading.whole:
        yield from sight.nowhere()
    found = sight.word(_SLACK)
    if found is not None:
        yield reading.at("slack", SIGN, found, f"speaks of {found[1].name}")
    for what, (pattern, said) in _SIGNS.items():
        found = sight.word(pattern)
        if found is not None:
            yield reading.at(what, SIGN, found, said)
    for what, patterns in _CALLED.items():
        found = sight.call(patterns)
        if found is not None:
            yield reading.at(what, SIGN, found, f"calls {found[1].parts[0].name}()")


class _Sight:
    """All words and calls of a handler's code, to look for some that fit."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.calls = reading.program.calls

    @cached_property
    def words(self) -> frozenset[str]:
        """Every name, key and text of the code that may run."""
        decorators = (node for function in self.reading.program.perhaps for node in function.decorators)
        named = frozenset(one.name for node in decorators for one in walk(node) if one.name)
        return named | self.reading.program.words.keys()

    def nowhere(self) -> Iterator[Observed]:
        """Yield what is nowhere."""
        model = bool(model_calls(self.reading))
        for what, one in _ABSENCES.items():
            if (model or not one.of_model) and self.call(one.calls) is None and not self.spoken(one.words):
                yield self.reading.nowhere(what, CLAIMED, one.note)
        if not model and not self.spoken((_MODELS,)):
            yield self.reading.nowhere("no-model", CLAIMED, "no call to a language model")
        if not any(self._may_write(*one) for one in self.calls):
            yield self.reading.nowhere("no-writes", CLAIMED, "nothing is written or sent")

    def _may_write(self, function: Function, call: Node, name: str) -> bool:
        if effect_of(self.reading.program, call, function):
            return True
        called = call.parts[0]
        return bool(_WRITES.match(called.name)) and not _IN_MEMORY.search(name)

    def call(self, patterns: tuple[re.Pattern[str], ...]) -> tuple[Function, Node] | None:
        """Return the first call whose name fits."""
        for function, node, name in self.calls:
            if any(pattern.search(name) for pattern in patterns):
                return function, node
        return None

    def spoken(self, patterns: tuple[re.Pattern[str], ...]) -> bool:
        """Return whether a word fits."""
        return any(pattern.search(word) for pattern in patterns for word in self.words)

    def word(self, pattern: re.Pattern[str]) -> tuple[Function, Node] | None:
        """Return the first place of a word that fits."""
        return next((found for word, found in self.reading.program.words.items() if pattern.search(word)), None)
