"""A template's parameters: what they are given, or else their defaults."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterator, Mapping

from threatmodel.reading.problems import Place, Problem, listed, quoted, suggestion
from threatmodel.reading.source import meaning
from threatmodel.stacks.assumed import DEFAULTS, Assumed, PlainValue
from threatmodel.stacks.cloudformation.nesting import Nesting
from threatmodel.stacks.stack import Parameter
from threatmodel.stacks.values import ALWAYS, List, Node, Scalar, Table, Unknown, as_text, is_null, items, text

_FROM_STORE = "AWS::SSM::Parameter::Value"
_LONGEST_VALUE = 4096


def parameter(name: str, declared: Table, place: Place, assumed: Assumed, nesting: Nesting | None) -> Parameter:
    """A parameter as it is declared, with its value in one world."""
    kind = text(declared.entries.get("Type")) or "String"
    echo = declared.entries.get("NoEcho")
    hidden = isinstance(echo, Scalar) and str(echo.value).lower() == "true"
    if nesting is not None and nesting.handed is not None:
        value = _nested(name, kind, declared, nesting.handed)
        if hidden and isinstance(value, Scalar):
            value = value._replace(given=(*value.given, f"{nesting.name}.{name}"))
        return Parameter(name=name, type=kind, hidden=hidden, value=value, place=place, stated=value.place)
    given = assumed.values.get(name)
    is_value = given is not None and not kind.startswith(
        _FROM_STORE
    )  # there a name is given, and the value is elsewhere
    return Parameter(
        name=name,
        type=kind,
        hidden=hidden,
        value=_value_of(given, kind, place)
        if is_value and given is not None
        else _default(name, kind, declared, assumed, (name,)),
        place=place,
        allowed=tuple(_allowed(declared.entries.get("AllowedValues"))),
        least=_bound(declared.entries.get("MinValue")),
        most=_bound(declared.entries.get("MaxValue")),
        stated=assumed.stated.get(name),
        stored=(text(declared.entries.get("Default")) or "") if kind.startswith(_FROM_STORE) else "",
    )


def unfit(name: str, declared: Table, assumed: Assumed) -> Problem | None:
    """Return why a deployment's own value cannot be a parameter's; its value is in no message, it may be a secret."""
    place, given = assumed.stated.get(name), assumed.values.get(name)
    if place is None or given is None:
        return None
    kind = text(declared.entries.get("Type")) or "String"
    of_list = kind.startswith("List<") or kind == "CommaDelimitedList"
    parts = [one.strip() for one in str(given).split(",")] if of_list else [str(given)]
    expected = next((why for part in parts for why in _unfit(part, kind, declared)), "")
    if not expected:
        return None
    return Problem(
        code="wrong-parameters",
        place=place,
        message=f"the value of {quoted(name)} is not one that the template allows; expected {expected}",
        hint=f"correct it: CloudFormation would not deploy it ({declared.place})",
    )


def unknown(declared: Collection[str], assumed: Assumed) -> Iterator[Problem]:
    """Yield each parameter of a file of parameters that a template has not; `sam deploy` passes over such ones."""
    for name, place in assumed.stated.items():
        if name not in declared and place.file.endswith(".json") and not assumed.names:
            message = f"the template has no parameter {quoted(name)}"
            known = f"known: {listed(declared)}" if declared else "it has none"
            hint = suggestion(name, declared) or f"remove it: CloudFormation would not deploy it ({known})"
            yield Problem(code="wrong-parameters", place=place, message=message, hint=hint)


def _unfit(value: str, kind: str, declared: Table) -> Iterator[str]:
    """What a value should be and is not."""
    allowed = [str(one) for one in _allowed(declared.entries.get("AllowedValues"))]
    if allowed and value not in allowed:
        yield f"one of {listed(allowed)}"
    if kind in {"Number", "List<Number>"}:
        number = meaning(value)
        if isinstance(number, bool) or not isinstance(number, int | float):
            yield "a number"
            return
        yield from _beyond(number, declared, "Value", "a number")
    elif not kind.startswith(_FROM_STORE):
        yield from _beyond(len(value), declared, "Length", "a text of")
        pattern = text(declared.entries.get("AllowedPattern"))
        if pattern and _matches(pattern, value) is False:
            yield f"a text that matches {quoted(pattern)}"


def _beyond(number: float, declared: Table, of: str, what: str) -> Iterator[str]:
    """The bound of a value or of its length that is not kept."""
    unit = " characters" if of == "Length" else ""
    least, most = _bound(declared.entries.get(f"Min{of}")), _bound(declared.entries.get(f"Max{of}"))
    if least is not None and number < least:
        yield f"{what} at least {least:g}{unit}"
    if most is not None and number > most:
        yield f"{what} at most {most:g}{unit}"


_NESTED_REPEATS = re.compile(r"[*+}][)\]]*[*+{]|\([^()]*[*+|][^()]*\)[*+{]")
"""What makes a search take very long: it is not tried."""
_LONGEST_PATTERN = 200


def _matches(pattern: str, value: str) -> bool | None:
    """Whether a value has a pattern; None where that cannot be decided."""
    if len(pattern) > _LONGEST_PATTERN or len(value) > _LONGEST_VALUE or _NESTED_REPEATS.search(pattern):
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            return re.fullmatch(pattern, value) is not None
    except (re.error, RecursionError, OverflowError):
        return None  # a pattern of Java that is none of Python


def _nested(name: str, kind: str, declared: Table, handed: Mapping[str, Node] | Unknown) -> Node:
    """A parameter of a nested template: what it is handed, else its default, which no deployment replaces."""
    given = handed if isinstance(handed, Unknown) else handed.get(name)
    if given is None:
        return _default(name, kind, declared, DEFAULTS, ())
    if kind.startswith(_FROM_STORE):
        return Unknown(f"the parameter {quoted(name)} is read from the Parameter Store", given.place, choices=ALWAYS)
    if not isinstance(given, Scalar):
        return given
    return _value_of(as_text(given), kind, given.place, given.given)


def _allowed(node: Node | None) -> Iterator[PlainValue]:
    """The only values that a parameter may take."""
    return (one.value for one in items(node) if isinstance(one, Scalar) and one.value is not None)


def _bound(node: Node | None) -> float | None:
    value = meaning(str(node.value)) if isinstance(node, Scalar) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _value_of(value: PlainValue, kind: str, place: Place, given: tuple[str, ...] = ()) -> Scalar | List:
    """A value that a parameter is given, as its type has it."""
    if kind.startswith("List<") or kind == "CommaDelimitedList":
        return List(tuple(_as_number(part.strip(), kind, place, given) for part in str(value).split(",")), place, given)
    return _as_number(value, kind, place, given) if isinstance(value, str) else Scalar(value, place, given)


def _default(name: str, kind: str, declared: Table, assumed: Assumed, given: tuple[str, ...]) -> Node:
    """The value of a parameter for which none is given; `given` are the parameters that the parts of a list rest on."""
    if name in assumed.withheld:
        why = f"the parameter {quoted(name)} is hidden (NoEcho), and AWS does not answer its value"
        return Unknown(why, assumed.withheld[name], choices=ALWAYS)
    default, choices = declared.entries.get("Default"), frozenset(given)
    if assumed.open:
        return Unknown(f"the parameter {quoted(name)} is given at deployment", declared.place, choices=choices)
    if kind.startswith(_FROM_STORE):
        why = f"the parameter {quoted(name)} is read from the Parameter Store"
        return Unknown(why, declared.place, choices=choices)
    if default is None or is_null(default):
        return Unknown(f"the parameter {quoted(name)} has no default", declared.place, choices=choices)
    if not isinstance(default, Scalar) or len(str(default.value)) > _LONGEST_VALUE:
        why = f"the default of the parameter {quoted(name)} is no text that a parameter can have"
        return Unknown(why, default.place, choices=choices)
    return _value_of(default.value if default.value is not None else "", kind, default.place, given)._replace(given=())


def _as_number(value: str, kind: str, place: Place, given: tuple[str, ...] = ()) -> Scalar:
    """A parameter's value, a number where its type states it."""
    number = meaning(value) if value and kind in {"Number", "List<Number>"} else value
    return Scalar(number if isinstance(number, int | float) else value, place, given)
