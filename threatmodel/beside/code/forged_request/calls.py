"""Calls: of the folder's functions, and what those of packages give."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from threatmodel.beside.code.bolt import hands_over
from threatmodel.beside.code.digests import CONSTANT_TIME, HMAC
from threatmodel.beside.code.effects import changes
from threatmodel.beside.code.forged_request.assignments import mingled
from threatmodel.beside.code.forged_request.comparing import checked, covered, same
from threatmodel.beside.code.forged_request.meanings import (
    Call,
    concatenated,
    form,
    gathered,
    instance,
    iterated,
    kept,
    length,
    longer,
    longest,
    quantified,
    run,
    same_value,
    slice_of,
    split,
    stripped,
    taken,
    then,
    unwrapped,
)
from threatmodel.beside.code.forged_request.parts import attribute_of, header, is_environment
from threatmodel.beside.code.forged_request.serving import MAKES, key_of, made, serve, served
from threatmodel.beside.code.forged_request.timing import clock, duration, formed, instant, number
from threatmodel.beside.code.forged_request.values import (
    BODY,
    EMPTY,
    FAILED,
    FIXED,
    MAC,
    NOTHING,
    OUTSIDE,
    REQUEST,
    SETTING,
    STAMP,
    UNKNOWN,
    UNSIGNED,
    VERDICT,
    Closure,
    Code,
    Effect,
    Ended,
    External,
    Frame,
    Items,
    Later,
    Raised,
    Thing,
    Value,
    come,
    fixed,
    functions_in,
    joined,
    verdict,
)
from threatmodel.beside.code.functions import NOTES, only_notes
from threatmodel.beside.code.syntax import Node

if TYPE_CHECKING:
    from threatmodel.beside.code.forged_request.machine import Machine


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
    if found is None and owner.of == {REQUEST}:
        found = header(key_of(given[0])) if what.name in {"get", "header"} and given else function
    if found is None:
        external = isinstance(function.shape, External)
        name = function.shape.name if external else machine.program.dotted(what, frame.function) or what.name
        found = _meaning(Call(machine, node, frame, function, owner, given, named, name))
    return come(found) if node.name == "await" else found


def _meaning(call: Call) -> Value:
    """Return what a call of a package gives, with what it does noted."""
    machine = call.machine
    if app := served((*call.every, call.called)):
        return serve(machine, app) if any("event" in one.of for one in call.every) else Value(truth=True, shape=app)
    if machine.serving and changes(machine.reading, call.node, call.frame.function):
        early = not (machine.checks or machine.weak or machine.faults)
        machine.effects.append(Effect(call.frame.function, call.node, machine.path, early))
        _note_unsigned(call)
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
    if call.machine.age:  # it rejects what is of another time
        outcome = verdict(passes=False)
    elif secret.of == {OUTSIDE} and any(covered(one) == {BODY} for one in (*call.given, *options.values())):
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


# --- anything else


def _other(call: Call) -> Value:
    """Return what any other call gives: something of what it is given, or of outside."""
    machine = call.machine
    values = (*call.every, call.owner)
    if call.last in _PUTS and call.is_method:
        mingled(call.node.parts[0].parts[0], call.every, call.frame)
    reads = _READS.search(call.name)
    left_out = {FIXED, EMPTY, OUTSIDE, *(() if reads else (SETTING,))}
    of = frozenset(part for one in values for part in one.of if part not in left_out)
    if _HASHES.search(call.name) and call.given and all(one.of and one.of <= {FIXED, EMPTY} for one in call.given):
        of |= {FIXED}
    if call.last in _ITEMS and any(is_environment(one) for one in values):
        of |= {SETTING}
    if call.last in _REPLACES and call.owner.of == {"headers"} and machine.serving:
        machine.weak.append((call.where, "names of headers are changed, so that two may be one"))
    if machine.serving:
        _note(call, reads=reads is not None)
    reads = reads if _MODULES.search(call.name) or not isinstance(call.owner.shape, External) else None
    if any(functions_in(call.every)):
        path, machine.path = machine.path, machine.path._replace(doubt=True)
        run(call)
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
    if call.last in NOTES:
        return
    if (_gets(call, ("body", "query")) and not reads) or (named and not isinstance(call.owner.shape, External)):
        machine.unclear.append(call.where)
    if not reads:
        _note_unsigned(call)


def _gets(call: Call, parts: tuple[str, ...]) -> bool:
    """Return whether a call is given something of some parts of the request."""
    return any(part.startswith(parts) for one in call.every for part in one.of)


def _note_unsigned(call: Call) -> None:
    """Note a call that gets what the signature does not cover; the timestamp it does."""
    parts = {part for one in call.every for part in one.of if part.startswith(UNSIGNED)}
    if parts - {STAMP}:
        call.machine.unsigned.append(call.where)


_RAISING = frozenset({"verifyRequestSignature", "verifySlackRequest"})
_HASHES = re.compile(r"(?:\A|\.)hashlib\.\w+\Z|createHash\(.*\)\.update\Z")
_ITEMS = frozenset({"items", "values", "entries"})
_REPLACES = frozenset({"replace", "replaceAll", "translate"})
_PUTS = frozenset({"update", "set", "append", "add", "push", "setdefault", "extend", "insert", "unshift"})
"""What puts what it is given into what it is called on."""
_DEFAULTS = frozenset({"getenv", "get", "getattr", "pop", "setdefault"})
"""What gives its last argument where it finds nothing."""
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
    (re.compile(r"\Arequire\Z"), lambda call: call.machine.lookup(key_of(call.first), call.frame)),
    (re.compile(rf"\A(?:{MAKES})\Z"), lambda call: made(call.named)),
    (
        re.compile(r"\Afastapi\.(?:Depends|Security)\Z"),
        lambda call: Value(truth=True, shape=Thing({"needs": call.first})),
    ),
    (_named("|".join(CONSTANT_TIME) + "|equals|__eq__"), _compare),
    (_named("SignatureVerifier"), _verifier),
    (_named("is_valid_request|is_valid|verifyRequestSignature|verifySlackRequest|isValidSlackRequest"), _verified),
    (re.compile(r"\Aisinstance\Z"), instance),
    (re.compile(r"\A(?:sys\.exit|exit|quit|os\._exit|process\.exit|flask\.abort|abort)\Z"), _exit),
    (re.compile(r"(?:\A|[:/.])assert(?:/strict)?(?:\.ok|\.equal|\.strictEqual|\.default)?\Z"), _asserted),
    (_named(r"gather|allSettled|Promise\.all"), gathered),
    (_named(r"Promise\.reject"), lambda _: FAILED),
    (_named("run|run_until_complete|wait_for|resolve|create_task|ensure_future|result"), unwrapped),
    (re.compile(r"\A(?:str|bytes|bytearray|String|Uint8Array|memoryview|dict|list|tuple|iter|bool)\Z"), same_value),
    (_named(r"Buffer\.from|b64decode|standard_b64decode|atob|to_bytes|freeze"), same_value),
    (
        re.compile(
            r"\A(?:int|float|round|abs|Number|(?:Number\.)?parse(?:Int|Float)|[mM]ath\.(?:f?abs|floor|round|trunc|ceil))\Z"
            r"|\.(?:utc)?fromtimestamp\Z"
        ),
        number,
    ),
    (_named("timedelta"), duration),
    (_named("is[A-Za-z]+|test|fullmatch|match"), formed),
    (_named("timestamp|total_seconds|getTime|valueOf"), instant),
    (re.compile(r"\A(?:max|min)\Z"), longest),
    (re.compile(r"\Alen\Z"), length),
    (_named("encode|decode|toString|hexdigest|digest|hex|lower|toLowerCase|upper|toUpperCase|valueOf|copy"), form),
    (_named("rstrip|strip|trim|trimEnd|trimStart|removeprefix|lstrip"), stripped),
    (_named("update|write|end|append|push|add"), longer),
    (_named("slice|substring|substr|subarray"), slice_of),
    (_named("get|pop|getHeader"), taken),
    (_named("join|concat"), concatenated),
    (_named("split|partition|rpartition"), split),
    (_named("then|catch|finally"), then),
    (re.compile(r"\A(?:any|all)\Z"), quantified),
    (_named("map|forEach|filter|some|every|find|reduce|flatMap"), iterated),
    (_named("Thread|Timer|submit|setImmediate|setTimeout|nextTick|then|catch|finally|to_thread|run_in_executor"), run),
    (_named("lru_cache|cache|promisify|register"), kept),
    (_named(r"time\.time|time_ns|Date\.now|Date|datetime\.now|utcnow|datetime\.utcnow"), clock),
)
"""What a call gives, by the name of what it calls; None leaves it to the next."""
