"""Looks at the source of a handler: all that is observed of it, and why there may be code that was not read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from threatmodel.beside.code.absences import absences
from threatmodel.beside.code.answers import answers
from threatmodel.beside.code.clients import clients
from threatmodel.beside.code.credentials import credentials
from threatmodel.beside.code.effects import passes_on
from threatmodel.beside.code.flows import WHOLE, Flows
from threatmodel.beside.code.functions import Function
from threatmodel.beside.code.left_out import left_out
from threatmodel.beside.code.logs import logs
from threatmodel.beside.code.models import models
from threatmodel.beside.code.modules import Opening, Parsed, modules_of
from threatmodel.beside.code.observed import Observed, Reading
from threatmodel.beside.code.program import Program
from threatmodel.beside.code.sinks import sinks
from threatmodel.beside.code.surfaces import surfaces
from threatmodel.beside.code.syntax import Node, ParseError, about
from threatmodel.beside.code.tokens import tokens
from threatmodel.beside.code.verification import verification
from threatmodel.beside.code.writes import writes
from threatmodel.reading.problems import quoted

_FRAMEWORKS = frozenset(
    {"Flask", "Quart", "Sanic", "FastAPI", "Starlette", "Chalice", "Blueprint", "APIRouter", "express", "Router", "Koa"}
    | {"fastify", "Fastify", "Hono", "App", "AsyncApp", "APIGatewayRestResolver", "APIGatewayHttpResolver"}
    | {"LambdaFunctionUrlResolver", "ALBResolver", "middy"}
)
_FOR_EFFECT = re.compile(r"auto|instrument|patch|secur|guard|slack|verif|auth|protect", re.IGNORECASE)
_ANALYSES = (
    verification,
    surfaces,
    credentials,
    logs,
    answers,
    tokens,
    sinks,
    writes,
    models,
    left_out,
    absences,
    clients,
)


class Look(NamedTuple):
    """What was observed of a handler, why there may be code that was not read, and how many modules were."""

    observed: tuple[Observed, ...]
    openings: tuple[Opening, ...]
    modules: int


def look(parsed: Parsed, file: str, name: str, root: str, elsewhere: tuple[Opening, ...] = ()) -> Look:
    """Return what the source of a handler says: the function `name` of a file; `root` is the folder that is packaged.

    `elsewhere` are reasons why other code may run before it or in its place.
    """
    try:
        return _look(parsed, file, name, root, elsewhere)
    except ParseError:  # a function that is nested too deeply, which is an opening of its module
        return _look(Parsed(parsed.folder, whole=True), file, name, root, elsewhere)


def _look(parsed: Parsed, file: str, name: str, root: str, elsewhere: tuple[Opening, ...]) -> Look:
    modules = modules_of(parsed, [file], root)
    if file not in modules.found:
        return Look((), (*modules.openings, *elsewhere), 0)
    program = Program(modules, name)
    flows = Flows(program)
    openings = [*modules.openings, *elsewhere, *_unknown(program, flows), *_passed_on(program, flows)]
    if program.handler is None:
        openings += _unseen(program, name)
    reading = Reading(program, flows, tuple(openings))
    observed = [one for analysis in _ANALYSES for one in analysis(reading)]
    return Look(tuple(dict.fromkeys(observed)), tuple(openings), len(modules.found))


def _unseen(program: Program, name: str) -> Iterator[Opening]:
    """Yield why a handler that is no function of the code is unknown, unless a known package makes it."""
    first = next(iter(program.modules.found.values()))
    made = {"default", name} & {*program.top[first.path].assigned, *first.imports}
    exported = any(node.kind in {"attribute", "pair"} and node.name == name for node in program.top[first.path].nodes)
    if not made and not exported:
        yield Opening(f"{first.path} has no function {quoted(name)}", program.modules.folder.place(first.path))
    for package, place in program.modules.unknown.items():
        yield Opening(f"{quoted(package)} may make the handler, and its code is not in the folder", place)


def _unknown(program: Program, flows: Flows) -> Iterator[Opening]:
    """Yield the unknown packages that get a request, or a function of the handler: such a package may verify."""
    unknown = program.modules.unknown
    if not unknown:
        return
    found: set[str] = set()
    for function in program.perhaps:
        for node in (*function.nodes, *function.decorators):
            decorates = any(node is one for one in function.decorators)
            if node.kind != "call" and not decorates:
                continue
            called = node.parts[0] if node.kind == "call" else node
            package = next((one for one in unknown if _is_of(program.dotted(called, function), one)), "")
            if not package or package in found:
                continue
            given = node.parts[1:] if node.kind == "call" else ()
            wraps = any(_is_function(one, program) or _serves(one, function) for one in given)
            if decorates or wraps or any(flows.of(one, function) & WHOLE for one in given):
                found.add(package)
                why = f"{quoted(package)} gets the request, and its code is not in the folder"
                yield Opening(why, program.place(function, node))
    yield from _for_effect(program)


def _for_effect(program: Program) -> Iterator[Opening]:
    """Yield the unknown packages that are imported and not used, and by their name may change what serves requests."""
    for function in program.top.values():
        for node in function.module.kinds.get("import", ()):
            package = next((one for one in program.modules.unknown if _is_of(node.name, one)), "")
            if not package or not _FOR_EFFECT.search(node.name):
                continue
            names = {package, *(one.name for one in node.parts)}
            if not any(one.kind == "name" and one.name in names for one in about(function.module.block, names)):
                why = f"{quoted(node.name)} is imported for its effect, and its code is not in the folder"
                yield Opening(why, program.place(function, node))


def _serves(node: Node, function: Function) -> bool:
    """Return whether a name is that of an application of a web framework, to which a package may add a check."""
    made = next((values for here in function.scopes if (values := here.assigned.get(node.name))), ())
    return node.kind == "name" and any(one.kind == "call" and one.parts[0].name in _FRAMEWORKS for one in made)


def _is_of(name: str, package: str) -> bool:
    """Return whether what is called is of a package, or of a module that was not found."""
    return name.startswith(package) and not name[len(package) : len(package) + 1].isidentifier()


def _is_function(node: Node, program: Program) -> bool:
    return node.kind == "function" or (node.kind == "name" and node.name in program.by_name)


def _passed_on(program: Program, flows: Flows) -> Iterator[Opening]:
    """Yield where other code gets the request with its headers, and may verify it there."""
    for function, call, _ in program.sure_calls:
        if passes_on(program, call, function) and any(flows.of(one, function) & WHOLE for one in call.parts[1:]):
            why = f"{call.parts[0].name}() hands the whole request to other code, which may verify it"
            yield Opening(why, program.place(function, call))
            return
