"""Comparisons of signatures in Python source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from threatmodel.probe.source_words import Compared, UnreadableSourceError, names_signature

_DIGEST = frozenset({"digest", "hexdigest"})
_THROUGH = frozenset({"str", "bytes", "bytearray", "b64encode", "hexlify", "from_hex", "fromhex", "urlsafe_b64encode"})
_EQUALITY = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)
_MOST_ROUNDS = 20


def compared_in_python(text: str) -> Compared:
    """Where signatures are compared.  Raises UnreadableSourceError for what is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableSourceError(f"{getattr(error, 'lineno', None) or 1}: no Python that can be parsed") from None
    reading = _Reading(tree)
    try:
        return Compared(tuple(sorted(set(reading.equal()))), tuple(sorted(set(reading.constant()))))
    except RecursionError:
        raise UnreadableSourceError("1: nested too deeply") from None


class _Reading:
    """One module: names that hold a digest, wherever they are assigned one."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes = list(ast.walk(tree))
        self.constants = {"compare_digest"}
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                self.constants |= {one.asname for one in node.names if one.name == "compare_digest" and one.asname}
        self.fixed = self._fixed()
        self.holding: set[str] = set()
        for _ in range(_MOST_ROUNDS):
            before = len(self.holding)
            self.holding |= set(self._assigned())
            if len(self.holding) == before:
                break

    def _fixed(self) -> set[str]:
        """Names that are only ever given a constant: SIGNATURE_NAME = "x-slack-signature"."""
        given: dict[str, bool] = {}
        for target, value in self._assignments():
            given[target] = given.get(target, True) and isinstance(value, ast.Constant)
        return {name for name, constant in given.items() if constant}

    def _assignments(self) -> Iterator[tuple[str, ast.expr]]:
        for node in self.nodes:
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        yield from _pairs(target, value)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    yield from _pairs(target, value)
                case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                    yield from _pairs(target, value)
                case (
                    ast.For(target=ast.Name(id=name), iter=several)
                    | ast.comprehension(target=ast.Name(id=name), iter=several)
                ):
                    yield name, several
                case _:
                    pass

    def _assigned(self) -> Iterator[str]:
        """Names that are assigned a digest, and functions that return one."""
        for name, value in self._assignments():
            if self.is_digest(value):
                yield name
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                isinstance(inner, ast.Return) and inner.value is not None and self.is_digest(inner.value)
                for inner in ast.walk(node)
            ):
                yield node.name

    def is_digest(self, node: ast.expr) -> bool:
        """Whether an expression holds a signature or the digest it is compared with."""
        match node:
            case ast.Call():
                return self._call_gives_digest(node)
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return name in self.holding or (names_signature(name) and name not in self.fixed)
            case ast.BinOp(left=left, right=right):
                return self.is_digest(left) or self.is_digest(right)
            case ast.JoinedStr(values=values):
                return any(self.is_digest(value) for value in values)
            case ast.FormattedValue(value=value) | ast.Await(value=value) | ast.NamedExpr(value=value):
                return self.is_digest(value)
            case ast.Subscript(value=value, slice=part):
                return self.is_digest(value) or (isinstance(part, ast.Constant) and _is_signature_header(part.value))
            case ast.IfExp(body=body, orelse=other):
                return self.is_digest(body) or self.is_digest(other)
            case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values) | ast.Set(elts=values):
                return any(self.is_digest(value) for value in values)
            case ast.ListComp(elt=each) | ast.SetComp(elt=each) | ast.GeneratorExp(elt=each):
                return self.is_digest(each)
            case _:
                return False

    def _call_gives_digest(self, node: ast.Call) -> bool:
        if isinstance(node.func, ast.Attribute):
            if node.func.attr in _DIGEST:
                return not _is_plain_hash(node.func.value)
            if node.func.attr == "get" and node.args and isinstance(node.args[0], ast.Constant):
                return _is_signature_header(node.args[0].value)
            if node.func.attr in self.holding:
                return True
            if node.func.attr in {"encode", "decode", "lower", "upper", "strip", "hex", "removeprefix", "ljust"}:
                return self.is_digest(node.func.value)
        name = _called(node)
        return name in self.holding or (name in _THROUGH and any(self.is_digest(arg) for arg in node.args))

    def equal(self) -> Iterator[tuple[int, int]]:
        """The place of an equality between a digest and something that is no constant."""
        for node in self.nodes:
            if isinstance(node, ast.Compare):
                sides = [node.left, *node.comparators]
                for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
                    if isinstance(operator, _EQUALITY) and self._is_secret(operator, left, right):
                        yield node.lineno, node.col_offset + 1
            elif isinstance(node, ast.Call) and _called(node) in {"eq", "ne", "__eq__", "__ne__"}:
                parts = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
                if any(self.is_digest(part) for part in parts):
                    yield node.lineno, node.col_offset + 1

    def _is_secret(self, operator: ast.cmpop, left: ast.expr, right: ast.expr) -> bool:
        if _is_fixed(left) or _is_fixed(right):
            return False
        if not isinstance(operator, ast.In | ast.NotIn):
            return self.is_digest(left) or self.is_digest(right)
        if isinstance(right, ast.List | ast.Tuple | ast.Set):
            return self.is_digest(left) or any(self.is_digest(item) for item in right.elts)
        return self.is_digest(left)

    def constant(self) -> Iterator[tuple[int, int]]:
        """Where a digest is compared in constant time."""
        for node in self.nodes:
            called = isinstance(node, ast.Call) and _called(node) in self.constants
            if called and isinstance(node, ast.Call) and any(self.is_digest(arg) for arg in node.args):
                yield node.lineno, node.col_offset + 1


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name, value
        case ast.Tuple(elts=targets) | ast.List(elts=targets) if isinstance(value, ast.Tuple | ast.List):
            for one, other in zip(targets, value.elts, strict=False):
                yield from _pairs(one, other)
        case _:
            return


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_plain_hash(node: ast.expr) -> bool:
    """hashlib.sha256(x): no key is in it, so it is no signature."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (isinstance(node.func.value, ast.Name) and node.func.value.id == "hashlib")
    )


def _is_fixed(node: ast.expr) -> bool:
    """A constant, or a list of them: nothing secret is compared."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(_is_fixed(item) for item in node.elts)
    return isinstance(node, ast.Constant)


def _is_signature_header(value: object) -> bool:
    return isinstance(value, str) and value.lower() == "x-slack-signature"
