"""Calls: of the folder's functions, and what those of packages give."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from threatmodel.beside.code.bolt import hands_over
from threatmodel.beside.code.digests import CONSTANT_TIME, HMAC
from threatmodel.beside.code.effects import changes
from threatmodel.beside.code.forged_request.assignments import assign
from threatmodel.beside.code.forged_request.comparing import checked, covered, instance_of, same
from threatmodel.beside.code.forged_request.parts import attribute_of, come, header, length_of, mixed, sliced
from threatmodel.beside.code.forged_request.values import (
    BODY,
    CLOCK,
    EMPTY,
    FAILED,
    FIXED,
    MAC,
    NOTHING,
    OUTSIDE,
    TIMESTAMP,
    UNKNOWN,
    VERDICT,
    Closure,
    Code,
    Effect,
    Ended,
    External,
    Fixed,
    Found,
    Frame,
    Items,
    Later,
    Raised,
    Thing,
    Value,
    Whole,
    fixed,
    joined,
    together,
    verdict,
)
from threatmodel.beside.code.idle import NOTES, only_notes
from threatmodel.beside.code.syntax import Node

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine


class Call(NamedTuple):
    """A call of something that is not of the folder: `name` is its dotted name, `owner` what a method is called on."""

    machine: Machine
    node: Node
    frame: Frame
    called: Value
    owner: Value
    given: Sequence[Value]
    named: Mapping[str, Value]
    name: str

    @property
    def last(self) -> str:
        """The name of the function or method."""
        return self.node.parts[0].name

    @property
    def is_method(self) -> bool:
        """Whether it is called on something."""
        return self.node.parts[0].kind == "attribute"

    @property
    def every(self) -> Sequence[Value]:
        """All that it is given."""
        return (*self.given, *self.named.values())

    @property
    def first(self) -> Value:
        """Its first argument."""
        return self.given[0] if self.given else UNKNOWN

    @property
    def where(self) -> Found:
        """Its place."""
        return self.frame.function, self.node


def called(machine: Machine, node: Node, frame: Frame) -> Value:
    """Return what a call gives.  Raises Ended where it never returns."""
    what = node.parts[0]
    owner = machine.value(what.parts[0], frame) if what.kind == "attribute" else Value()
    function = attribute_of(machine, owner, what.name) if what.kind == "attribute" else machine.value(what, frame)
    given: list[Value] = []
    named: dict[str, Value] = {}
    for one in node.parts[1:]:
        value = machine.value(one, frame)
        if one.kind == "keyword" and one.name:
            named[one.name] = value
        elif one.kind in {"spread", "keyword"} and isinstance(value.shape, Items):
            given += value.shape.items
        else:
            given.append(value)
    found = machine.call(function, given, named)
    if found is None:
        external = isinstance(function.shape, External)
        name = function.shape.name if external else machine.program.dotted(what, frame.function) or what.name
        found = _meaning(Call(machine, node, frame, function, owner, given, named, name))
    return come(found) if node.name == "await" else found


def _meaning(call: Call) -> Value:
    """Return what a call of a package gives, with what it does noted."""
    machine = call.machine
    if machine.serving and changes(machine.reading, call.node, call.frame.function):
        early = not (machine.checks or machine.weak or machine.faults)
        machine.effects.append(Effect(call.frame.function, call.node, machine.path, early))
    for pattern, give in _MEANINGS:
        if pattern.search(call.name) and (found := give(call)) is not None:
            return found
    if hands_over(machine.reading, call.node, call.frame.function):
        machine.checks.append(call.where)
        return UNKNOWN
    return _other(call)


# --- checks


def _code(call: Call) -> Value | None:
    """Return a MAC of a key and a text, or whether a signature is one."""
    call.machine.codes += 1
    given = [*call.given, *[UNKNOWN] * 4]
    match call.name.rpartition(".")[2].lower():
        case "sign" | "verify" as last:
            key, text = given[1], given[3] if last == "verify" else given[2]
            code = Value(frozenset({MAC}), truth=True, shape=Code(key, text, call.machine.level))
            found = code if last == "sign" else same(call.machine, code, given[2], call.where)
            return Value(found.of, truth=True, shape=Later(found))
        case "hmacsha256":
            text, key = given[:2]
        case "createhmac":
            key, text = given[1], fixed("")
        case _:
            key = call.given[0] if call.given else call.named.get("key", UNKNOWN)
            text = call.given[1] if len(call.given) > 1 else call.named.get("msg", NOTHING)
    text = fixed("") if text == NOTHING else text
    return Value(frozenset({MAC}), truth=True, shape=Code(key, text, call.machine.level))


def _compare(call: Call) -> Value | None:
    left, *right = (call.owner, *call.given) if call.last in {"equals", "__eq__"} else call.given or [UNKNOWN]
    return same(call.machine, left, right[0], call.where) if right else UNKNOWN


def _verifier(call: Call) -> Value | None:
    secrets = [*call.given[:1], *(value for name, value in call.named.items() if "secret" in name)]
    return Value(UNKNOWN.of, truth=True, shape=Thing({"secret": joined(secrets or [UNKNOWN])}))


def _verified(call: Call) -> Value | None:
    """Return the outcome of a verifier of Slack's packages, or raise where it does."""
    options = dict(call.named)
    for one in call.given:
        options |= one.shape.fields if isinstance(one.shape, Thing) else {}
    secrets = [value for name, value in options.items() if "secret" in name.lower()]
    secret = call.owner.shape.fields.get("secret", UNKNOWN) if isinstance(call.owner.shape, Thing) else UNKNOWN
    secret = joined(secrets) if secrets else secret
    if secret.of == {OUTSIDE} and any(covered(one) == {BODY} for one in (*call.given, *options.values())):
        outcome = checked(call.machine, call.where)
    else:
        call.machine.weak.append((call.where, "the key or the body of a verifier may be another one"))
        outcome = Value(secret.of | {OUTSIDE})
    return outcome if call.name.rpartition(".")[2] not in _RAISING else _required(call, outcome)


def _required(call: Call, outcome: Value) -> Value:
    """Return from what raises where an outcome is false."""
    machine = call.machine
    if outcome.truth is not True:
        path = machine.path if outcome.truth is False else machine.path.under(outcome)
        machine.raised.append(Raised(frozenset(), path))
    if outcome.truth is False:
        raise Ended
    return verdict(passes=True)


def _asserted(call: Call) -> Value | None:
    equal = call.last in {"equal", "strictEqual"}
    return _required(call, (_compare(call) or UNKNOWN) if equal else call.first)


def _exit(call: Call) -> Value | None:
    call.machine.raised.append(Raised(frozenset({"SystemExit"}), call.machine.path))
    raise Ended


# --- forms


def _same_value(call: Call) -> Value | None:
    return come(call.first) if call.given else None


def _number(call: Call) -> Value | None:
    return call.first if isinstance(call.first.shape, Whole) and call.first.shape.parts == {TIMESTAMP} else None


def _longest(call: Call) -> Value | None:
    return joined(call.given) if call.given and all(isinstance(one.shape, Items) for one in call.given) else None


def _length(call: Call) -> Value | None:
    return length_of(call.first) if not call.is_method else None


def _form(call: Call) -> Value | None:
    """Return the text that a method gives in another form."""
    if isinstance(call.owner.shape, External | Thing) or not call.is_method:
        return call.first if call.given and re.match(r"str\.|bytes\.|\w*TextEncoder\(", call.name) else None
    lossy = any(isinstance(one.shape, Fixed) and one.shape.value in _LOSSY for one in call.every)
    return Value(call.owner.of) if lossy else call.owner


def _stripped(call: Call) -> Value | None:
    shape = call.owner.shape
    return call.owner if isinstance(shape, Code) or (isinstance(shape, Whole) and BODY not in shape.parts) else None


def _slice(call: Call) -> Value | None:
    return sliced(call.owner, call.given)


def _longer(call: Call) -> Value | None:
    """Return a MAC with more text under it, or a list with an item more."""
    shape = call.owner.shape
    if isinstance(shape, Code) and call.given:
        text = [shape.text, call.first]
        shape.text = together(text) if call.machine.level <= shape.level else mixed(text)
        return call.owner
    if isinstance(shape, Items) and call.given:
        longer = Value(call.owner.of | call.first.of, truth=True, shape=Items((*shape.items, call.first), shape.whole))
        assign(call.machine, call.node.parts[0].parts[0], longer, call.frame)
        return NOTHING
    return None


def _taken(call: Call) -> Value | None:
    """Return what is under a key, or what is given for its absence."""
    key = call.first.shape
    if not call.is_method or not isinstance(key, Fixed) or not isinstance(key.value, str):
        return None
    found = attribute_of(call.machine, call.owner, key.value)
    if isinstance(call.owner.shape, External):
        found = UNKNOWN
    if len(call.given) < _TWO or found.truth is True:
        return found
    return call.given[1] if found == NOTHING else joined([found, call.given[1]])


def _concatenated(call: Call) -> Value | None:
    if call.last == "join" and isinstance(call.first.shape, Items):
        return together([call.first, call.owner])
    if isinstance(call.owner.shape, External):
        return together([call.first]) if isinstance(call.first.shape, Items) else None
    return together([call.owner, *call.given])


def _split(call: Call) -> Value | None:
    """Return the version of a signature, and the rest of it."""
    if not isinstance(call.owner.shape, Whole | Code) or call.first.shape != Fixed("="):
        return None
    version, equals = Value(call.owner.of), [fixed("=")] if "partition" in call.last else []
    return Value(call.owner.of, truth=True, shape=Items((version, *equals, call.owner)))


# --- control


def _gathered(call: Call) -> Value | None:
    every = call.first.shape.items if isinstance(call.first.shape, Items) else call.given
    return Value(UNKNOWN.of, truth=True, shape=Later(Value(truth=True, shape=Items(tuple(map(come, every))))))


def _unwrapped(call: Call) -> Value | None:
    if call.last == "result" and isinstance(call.owner.shape, Later):
        return come(call.owner)
    if not isinstance(call.first.shape, Later):
        return None
    return call.first if call.last in {"resolve", "wait_for"} else come(call.first)


def _kept(call: Call) -> Value | None:
    return next((one for one in call.every if isinstance(one.shape, Closure)), UNKNOWN)


def _instance(call: Call) -> Value | None:
    return instance_of(call.machine, call.given[0], call.given[1]) if len(call.given) == _TWO else None


def _clock(call: Call) -> Value | None:
    return None if any(one.of - {FIXED} for one in call.every) else Value(frozenset({CLOCK}), truth=True)


def _then(call: Call) -> Value | None:
    """Return what comes of a promise after a function has got it."""
    if not isinstance(call.owner.shape, Later):
        return None
    came = call.owner.shape.value
    if came is None and call.last == "then":
        return call.owner
    given = came if came is not None else UNKNOWN
    results = [*call.machine.callbacks(call.every, [given])] or [given]
    if any(one.shape == Later(None) for one in results):
        return Value(call.owner.of, truth=True, shape=Later(None))
    results = [*map(come, results)]
    return Value(call.owner.of, truth=True, shape=Later(joined(results)))


def _run(call: Call) -> Value | None:
    """Return what runs the functions that it is given, now or later."""
    machine, path = call.machine, call.machine.path
    if call.last in {"then", "catch", "finally"}:  # of something that is not known
        machine.path = path._replace(doubt=True)
    results = [*machine.callbacks(call.every, [UNKNOWN])]
    machine.path = path
    if call.last not in _GIVES_LATER or len(results) != 1:
        return UNKNOWN
    return results[0] if isinstance(results[0].shape, Later) else Value(UNKNOWN.of, truth=True, shape=Later(results[0]))


def _quantified(call: Call) -> Value | None:
    """Return whether any or all items of a sequence are true."""
    sequence = come(call.first).shape
    return _decided(call.last, sequence.items, whole=sequence.whole) if isinstance(sequence, Items) else None


def _decided(how: str, results: Sequence[Value], *, whole: bool) -> Value | None:
    of = frozenset[str]().union(*(one.of for one in results)) or UNKNOWN.of
    truths = {one.truth for one in results}
    decides = how in {"some", "any"}
    if decides in truths and whole:
        return Value(of, truth=decides, shape=Fixed(decides))
    if truths == {not decides} and (whole or decides):  # of none at all, each holds
        return Value(of, truth=not decides, shape=Fixed(not decides))
    return Value(of | {OUTSIDE})


def _iterated(call: Call) -> Value | None:
    """Return what a function makes of each item of a sequence."""
    machine, owner, last = call.machine, call.owner, call.last
    known = owner.shape if isinstance(owner.shape, Items) else None
    if known is not None and last == "filter" and not any(isinstance(one.shape, Closure) for one in call.every):
        kept = tuple(one._replace(of=one.of - {EMPTY}) for one in known.items)
        return Value(owner.of - {EMPTY}, shape=Items(kept, whole=False))
    machine.sought = ""
    items = known.items if known is not None else (Value(owner.of or UNKNOWN.of),)
    results = tuple(result for one in items for result in machine.callbacks(call.every, [one]))
    if any(one is FAILED for one in results) and known is not None and known.whole:
        raise Ended
    whole = known is not None and known.whole and len(results) == len(items)
    if known is None and "headers" in owner.of:
        return _found_header(call)
    if last in {"some", "every"}:
        return _decided(last, results, whole=whole) if results else None
    of = owner.of.union(*(one.of for one in results)) or UNKNOWN.of
    if last in {"map", "flatMap"}:
        return Value(of, truth=True, shape=Items(results, whole))
    return NOTHING if last == "forEach" else Value(of | {OUTSIDE})


def _found_header(call: Call) -> Value:
    """Return the pairs of headers that a test keeps: that of the header whose name it compares."""
    name = call.machine.sought
    if not name:
        return call.owner
    pair = Value(call.owner.of, shape=Items((fixed(name), header(name))))
    return pair if call.last == "find" else Value(call.owner.of, shape=Items((pair,), whole=False))


# --- anything else


def _other(call: Call) -> Value:
    """Return what any other call gives: something of what it is given, or of outside."""
    machine = call.machine
    values = (*call.every, call.owner)
    of = frozenset(part for one in values for part in one.of if part not in {FIXED, EMPTY, OUTSIDE})
    reads = _READS.search(call.name)
    if machine.serving:
        _note(call, reads=reads is not None)
    reads = reads if _MODULES.search(call.name) or not isinstance(call.owner.shape, External) else None
    if any(isinstance(one.shape, Closure) for one in call.every):
        path, machine.path = machine.path, machine.path._replace(doubt=True)
        _run(call)
        machine.path = path
        return UNKNOWN
    constant = frozenset({FIXED}) if call.last in _DEFAULTS and len(call.every) > 1 else call.owner.of & {FIXED, EMPTY}
    outside = any(OUTSIDE in one.of and not isinstance(one.shape, External) for one in values)
    if VERDICT in of:
        machine.escapes = machine.escapes or call.last not in NOTES
    if not of or VERDICT in of or outside or not reads:
        of |= {OUTSIDE}
    of |= constant
    return Value(of, shape=External(f"{call.name}()") if of == {OUTSIDE} else None)


def _note(call: Call, *, reads: bool) -> None:
    """Note a call that may have an effect, and one of which it is unknown what it calls."""
    machine = call.machine
    named = call.last in machine.program.by_name
    if call.called.shape is None and (not call.is_method or named):
        machine.unknown.append(call.where)
    whole = any(one.of & {"event", "headers"} or isinstance(one.shape, Closure) for one in call.every)
    if whole and call.last not in NOTES and not reads:
        machine.handed.append(call.where)
    acts = any(one.node is call.node for one in machine.effects)
    if (
        (machine.level or machine.decided)
        and machine.checks
        and not (reads or acts or only_notes(call.frame.function, [call.node]))
    ):
        machine.leaving.append(call.where)
    sent = any(part.startswith(("body", "query")) for one in call.every for part in one.of)
    if call.last not in NOTES and ((sent and not reads) or (named and not isinstance(call.owner.shape, External))):
        machine.unclear.append(call.where)


_LOSSY = frozenset({"ignore", "replace"})
"""How a text is decoded without what is no text."""
_RAISING = frozenset({"verifyRequestSignature", "verifySlackRequest"})
_GIVES_LATER = frozenset({"submit", "to_thread", "run_in_executor"})
_DEFAULTS = frozenset({"getenv", "get", "getattr", "pop", "setdefault"})
"""What gives its last argument where it finds nothing."""
_TWO = 2
_IN_MODULES = (
    r"(?:json|JSON|urllib\.parse|querystring|qs|base64|Object|Array|Math|math|re|Number|hashlib|zlib|gzip|io|copy)"
)
_MODULES = re.compile(rf"(?:\A|\.){_IN_MODULES}\.\w+\Z|\A\w+\Z")
_READS = re.compile(
    rf"(?:\A|\.)(?:{_IN_MODULES}\.|(?:parse\w*|loads|URLSearchParams|URL|len|int|float|isinstance|dict|list|set|tuple"
    r"|sorted|get|getlist|getAll|has|includes|test|exec|match|fullmatch|search|split\w*|partition|strip|trim\w*|startswith"
    r"|startsWith|endswith|endsWith|items|keys|entries|values|join|replace|lower|upper|toLowerCase|toUpperCase|encode"
    r"|decode|read|unquote\w*|decodeURIComponent|isdigit|isdecimal|isascii|isalnum|isArray|isInteger|isSafeInteger"
    r"|createHash|update|digest|hexdigest|fromEntries|now|\w*(?:Error|Exception)|next|bool|Boolean|str|repr|pop|append|push|add|fromhex"
    r"|unhexlify|from|slice|substring|indexOf|find|index|Request|toString|fromtimestamp|utcfromtimestamp|abs|max|min|zip"
    r"|enumerate|all|any|type|typeof|iter|BytesIO|StringIO|getattr|hasattr|extract_tb|Path|isWellFormed)\Z)"
)
"""What reads, parses or measures what it is given, and does nothing else with it."""


def _named(names: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\A|\.)(?:{names})\Z")


_MEANINGS: Sequence[tuple[re.Pattern[str], Callable[[Call], Value | None]]] = (
    (HMAC, _code),
    (_named("|".join(CONSTANT_TIME) + "|equals|__eq__"), _compare),
    (_named("SignatureVerifier"), _verifier),
    (_named("is_valid_request|is_valid|verifyRequestSignature|verifySlackRequest|isValidSlackRequest"), _verified),
    (re.compile(r"\Aisinstance\Z"), _instance),
    (re.compile(r"\A(?:sys\.exit|exit|quit|os\._exit|process\.exit|flask\.abort|abort)\Z"), _exit),
    (re.compile(r"(?:\A|[:/.])assert(?:/strict)?(?:\.ok|\.equal|\.strictEqual|\.default)?\Z"), _asserted),
    (_named(r"gather|allSettled|Promise\.all"), _gathered),
    (_named(r"Promise\.reject"), lambda _: FAILED),
    (_named("run|run_until_complete|wait_for|resolve|create_task|ensure_future|result"), _unwrapped),
    (re.compile(r"\A(?:str|bytes|bytearray|String|Uint8Array|memoryview|dict|list|tuple|iter|bool)\Z"), _same_value),
    (_named(r"Buffer\.from|b64decode|standard_b64decode|atob|to_bytes|freeze"), _same_value),
    (re.compile(r"\A(?:int|float|Number|parseInt)\Z"), _number),
    (re.compile(r"\A(?:max|min)\Z"), _longest),
    (re.compile(r"\Alen\Z"), _length),
    (_named("encode|decode|toString|hexdigest|digest|hex|lower|toLowerCase|upper|toUpperCase|valueOf|copy"), _form),
    (_named("rstrip|strip|trim|trimEnd|trimStart|removeprefix|lstrip"), _stripped),
    (_named("update|write|end|append|push|add"), _longer),
    (_named("slice|substring|substr|subarray"), _slice),
    (_named("get|pop|getHeader"), _taken),
    (_named("join|concat"), _concatenated),
    (_named("split|partition|rpartition"), _split),
    (_named("then|catch|finally"), _then),
    (re.compile(r"\A(?:any|all)\Z"), _quantified),
    (_named("map|forEach|filter|some|every|find|reduce|flatMap"), _iterated),
    (_named("Thread|Timer|submit|setImmediate|setTimeout|nextTick|then|catch|finally|to_thread|run_in_executor"), _run),
    (_named("lru_cache|cache|promisify|register"), _kept),
    (_named(r"time\.time|time_ns|Date\.now|Date|datetime\.now|utcnow|datetime\.utcnow"), _clock),
)
"""What a call gives, by the name of what it calls; None leaves it to the next."""
