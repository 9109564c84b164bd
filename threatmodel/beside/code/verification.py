"""How a handler verifies that Slack sent a request: by which scheme, and before which effects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from threatmodel.beside.code.bolt import hands_over, in_socket_mode, is_app, options
from threatmodel.beside.code.digests import HMAC, Digests
from threatmodel.beside.code.forged_request.judgment import Judgment, before_check, judged
from threatmodel.beside.code.functions import NOTES, Function, unconditional
from threatmodel.beside.code.observed import CERTAIN, CLAIMED, SIGN, Observed, Reading
from threatmodel.beside.code.packages import VERIFIERS
from threatmodel.beside.code.syntax import Node, about, walk
from threatmodel.beside.code.window import Window

_Found = tuple[Function, Node]
_HOUR = 3600
_PLAIN = frozenset({"text", "constant"})
_OF_HMAC = frozenset({"new", "digest", "HMAC", "createHmac", "sign", "verify", "HmacSHA256"})
_OF_CODES = ("hmac", "subtle")
_HASHES = re.compile(r"sha256|nacl|cryptography|jwcrypto|Crypto\.|crypto-js|tweetnacl|sjcl|jsrsasign|node-forge")
_HEADER = re.compile(r"x-slack-signature", re.IGNORECASE)
_SIGNING = re.compile(r"signing|signature", re.IGNORECASE)
_OFF = {"request_verification_enabled", "signatureVerification"}
_SECRET = {"signing_secret", "signingSecret"}
_DECIDES = "compares an HMAC of the request, so its code decides who may call it"
_NAMED = frozenset({"is_valid_request", "verifyRequestSignature", "verifySlackRequest", "isValidSlackRequest"})
_TOKEN = re.compile(r"verif\w*_?token|slack_?token|\btoken\b", re.IGNORECASE)


def verification(reading: Reading) -> Iterator[Observed]:
    """Yield what is seen of the verification of Slack's requests."""
    yield from _Verification(reading).all()


class _Verification:
    def __init__(self, reading: Reading) -> None:
        self.reading, self.program = reading, reading.program
        self.surely = {id(one.node): one for one in self.program.surely}
        self.hmacs: list[_Found] = []
        self.checks: list[_Found] = []
        self.apps: list[_Found] = []
        self.headers: list[_Found] = []
        self.hashes: list[_Found] = []
        self.mentions: list[_Found] = []
        self.headers += [found for text, found in self.program.words.items() if _HEADER.search(text)]
        for function, node, name in self.program.calls:
            self._sort(function, node, name)
        for function, node in self.program.nodes:
            if node.kind in {"name", "attribute"} and self._is_hmac(node, function):
                self.mentions.append((function, node))

    def _sort(self, function: Function, node: Node, name: str) -> None:
        last = node.parts[0].name
        if HMAC.search(name):
            self.hmacs.append((function, node))
        elif last in _NAMED or any(one in name for one in VERIFIERS):
            self.checks.append((function, node))
        elif is_app(name):
            self.apps.append((function, node))
        elif _HASHES.search(name):
            self.hashes.append((function, node))

    def _is_hmac(self, node: Node, function: Function) -> bool:
        """Return whether a name is that of an HMAC, which may be called by another name."""
        return node.name in _OF_HMAC and HMAC.search(self.program.dotted(node, function)) is not None

    def all(self) -> Iterator[Observed]:
        if self.apps:
            yield from self.bolt()
        elif self.checks:
            yield from self.verified(self.checks[0], "Slack's verifier", judged(self.reading))
        elif self.hmacs and self.headers:
            yield from self.own()
        elif self.hmacs:
            yield self.reading.at(
                "scheme", SIGN, self.hmacs[0], "computes an HMAC, and no header of Slack's is read by name"
            )
            yield from islice(_decides(self.reading), 1)
        else:
            yield from islice(self.none(), 1)

    # --- nothing

    def none(self) -> Iterator[Observed]:
        """Yield, first of all, that nothing verifies, where all code is at hand and none of it could."""
        if self.mentions:
            yield self.reading.at("scheme", SIGN, self.mentions[0], "mentions an HMAC, and it is unclear what calls it")
        if self.hashes and (self.headers or self._speaks_of_signing()):
            yield self.reading.at(
                "scheme", SIGN, self.hashes[0], "computes a hash, and something speaks of a signature"
            )
        for used in (one for one in self.program.nodes if self._uses_signature(*one)):
            yield self.reading.at("scheme", SIGN, used, "uses Slack's signature, and it is unclear what for")
        if self.reading.openings:
            return
        for legacy in self._tokens():
            note = "only the legacy verification token is compared, and no signature is verified"
            yield self.reading.at("nothing-verifies", CERTAIN, legacy, note, "token")
        for dead in self._dead():
            note = "nothing verifies the signature: a function computes an HMAC, and nothing calls it"
            yield self.reading.at("nothing-verifies", CERTAIN, dead, note, "dead")
        note = "nothing verifies the signature: no code that this handler can reach computes an HMAC"
        yield self.reading.nowhere("nothing-verifies", CERTAIN, note, "none")

    def _uses_signature(self, function: Function, node: Node) -> bool:
        """Return whether a node gives the signature to other code than the folder's, or compares it with a value."""
        if node.kind == "call" and node.parts[0].name not in NOTES:
            given = node.parts[1:] if self.program.called(node, function) is None else ()
        elif node.kind == "compare" and node.name in {"==", "!="} and not any(one.kind in _PLAIN for one in node.parts):
            given = node.parts
        else:
            return False
        return any(self.reading.flows.of(one, function) & {"signature", "signature part"} for one in given)

    def _dead(self) -> Iterator[_Found]:
        """Yield where a function that nothing mentions computes an HMAC."""
        nodes = (one for module in self.program.modules.found.values() for one in about(module.block, _OF_CODES))
        speaks = any(word in one.name.lower() for one in nodes for word in _OF_CODES)
        for function in self.program.functions if speaks else ():
            for node in function.nodes:
                if node.kind == "call" and HMAC.search(self.program.dotted(node.parts[0], function)):
                    yield function, node

    def _tokens(self) -> Iterator[_Found]:
        """Yield where a token of the request is compared."""
        for function, node in self.program.nodes:
            if node.kind == "compare" and node.name in {"==", "!=", "in", "not in"}:
                sides = [self._says(side, function) for side in node.parts]
                given = [bool(self.reading.flows.of(side, function)) for side in node.parts]
                if any(_TOKEN.search(one) for one in sides) and any(given):
                    yield function, node

    def _says(self, node: Node, function: Function) -> str:
        names = " ".join(one.name for one in walk(node) if one.kind in {"name", "attribute", "text"})
        return f"{names} {self.program.dotted(node, function)}"

    def _speaks_of_signing(self) -> bool:
        return any(node.kind in {"text", "name"} and _SIGNING.search(node.name) for _, node in self.program.nodes)

    # --- Bolt

    def bolt(self) -> Iterator[Observed]:
        for found in self.apps:
            for name, value in options(found[1]):
                if name in _OFF and value.kind == "constant" and value.name == "false":
                    yield self.reading.at(
                        "nothing-verifies", CERTAIN, found, f"Bolt's verification is off: {name}", "off"
                    )
                    return
                if name in _SECRET and value.kind == "text" and not value.name:
                    note = "Bolt verifies with an empty signing secret, which anyone can sign with"
                    yield self.reading.at("nothing-verifies", CERTAIN, found, note, "empty")
                    return
            if in_socket_mode(found[1]):
                yield self.reading.at("scheme", SIGN, found, "Bolt in socket mode, which has no requests to verify")
                return
        handler = self.program.handler
        if handler is not None and not self._is_served(handler):
            yield self.reading.at(
                "scheme", SIGN, self.apps[0], "Bolt verifies what reaches it, and not every request may"
            )
            return
        own = next((found for found in self.program.routes if _is_of_receiver(found[1])), None)
        if own is not None:
            yield self.reading.at("scheme", SIGN, own, "Bolt verifies what it listens to, and not this own route")
            return
        early = before_check(self.reading)
        if early is not None:
            sure = CERTAIN if not early.path.doubt else SIGN
            note = f"{early.node.parts[0].name}() runs before Bolt verifies"
            what = "effect-first" if sure == CERTAIN else "scheme"
            yield self.reading.at(what, sure, (early.function, early.node), note)
            return
        yield self.reading.at("verifies", CLAIMED, self.apps[0], "Bolt verifies the signature of each request", "bolt")
        yield self.reading.at("constant-time", CLAIMED, self.apps[0], "Bolt compares in constant time", value=True)
        if self.apps[0][0].module.python:
            note = "Bolt rejects a timestamp that is more than 300 seconds off"
            yield self.reading.at("window", CLAIMED, self.apps[0], note, 300)
        else:
            note = "Bolt for JavaScript rejects an old timestamp, and accepts one in the future"
            yield self.reading.at("one-sided", CLAIMED, self.apps[0], note)

    def _is_served(self, handler: Function) -> bool:
        """Return whether a statement of the handler hands every request to Bolt: none under a condition."""
        every = (statement for statement in unconditional(handler.body) if statement.kind != "if")
        return any(hands_over(self.reading, node, handler) for statement in every for node in walk(statement))

    # --- an own verification

    def own(self) -> Iterator[Observed]:
        sure = [one for one in self.hmacs if id(one[0].node) in self.surely] or self.hmacs
        found = judged(self.reading)
        runs = id(sure[0][0].node) in self.surely
        windows = list(Window(self.reading).observed(sure)) if runs else []
        shown = [one for one in windows if one.how == CERTAIN] or [*_accepted_late(self.reading, found)]
        if shown:  # it verifies, and the window is a finding
            windows, found = shown, found._replace(late=None)
        elif found.late is not None:
            windows = [self.reading.at("window", SIGN, found.late.where, found.late.why)]
        yield from self.verified(sure[0], "its own HMAC", found)
        yield from windows
        if runs:
            yield from _compared(self.reading, sure)

    def verified(self, at: _Found, how: str, found: Judgment) -> Iterator[Observed]:
        """Yield what becomes of a request that Slack did not sign."""
        where = found.where or at
        match found.what:
            case "rejected" if found.late is not None:
                note = f"verifies a signature with {how}, and {found.late.why}"
                yield self.reading.at("scheme", SIGN, found.late.where, note)
            case "rejected":
                yield self.reading.at("verifies", CLAIMED, at, f"verifies the signature with {how}", "own")
            case "early":
                yield self.reading.at("effect-first", CERTAIN, where, found.why)
            case "":
                why = f": {found.why}" if found.why else ", where it is unclear for which requests"
                yield self.reading.at("scheme", SIGN, where, f"verifies a signature with {how}{why}")
            case _:
                yield self.reading.at("nothing-verifies", CERTAIN, where, found.why, found.what)


def _accepted_late(reading: Reading, found: Judgment) -> Iterator[Observed]:
    """Yield that a request of another time is surely accepted."""
    late = found.late
    if late is not None and late.sure:
        what = "one-sided" if late.age < 0 else "no-window" if late.age > _HOUR else "window"
        yield reading.at(what, CERTAIN, late.where, late.why, late.age if what == "window" else None)


def _is_of_receiver(node: Node) -> bool:
    """Return whether a call adds a route beside those of Bolt: `receiver.router.post(...)`."""
    owner = node.parts[0].parts[0] if node.kind == "call" and node.parts[0].kind == "attribute" else None
    return owner is not None and owner.kind == "attribute" and owner.name in {"router", "app"}


def _decides(reading: Reading) -> Iterator[Observed]:
    """Yield where a digest is compared with what a request brings, as a service's webhook signs it.

    A comparison that is a statement by itself decides nothing.
    """
    digests, functions = Digests(reading.program), reading.program.perhaps
    compared = [(function, node, sides) for function, node, sides, _ in digests.equalities(functions)]
    compared += [(function, node, node.parts[1:]) for function, node in digests.in_constant_time(functions)]
    for function, node, sides in compared:
        is_used = all(node is not one for at in function.nodes if at.kind == "expression" for one in at.parts)
        found = [digests.is_digest(side, function) for side in sides]
        if is_used and any(found) and (node.kind == "call" or not all(found)):
            yield reading.at("checks-callers", CLAIMED, (function, node), _DECIDES)


def _compared(reading: Reading, sure: Sequence[tuple[Function, Node]]) -> Iterator[Observed]:
    """Yield whether the digest is compared in constant time: two digests under one key tell nothing of it."""
    digests, functions = Digests(reading.program), reading.program.surely
    constant = next(digests.in_constant_time(functions), None)
    for function, node, sides, written in digests.equalities(functions):
        found = [digests.is_digest(side, function) for side in sides]
        if not any(found) or all(found):
            continue
        note = f"the digest is compared with {written}"
        if constant is None or reading.depends(sides[found.index(False)], function):
            yield reading.at("constant-time", CERTAIN, (function, node), note, value=False)
        else:
            yield reading.at("constant-time", SIGN, (function, node), note)
        return
    if constant is not None and sure:
        yield reading.at("constant-time", CLAIMED, constant, "the digest is compared in constant time", value=True)
