"""Dataclasses that are cheap to define, otherwise as those of the standard library.

For each class that `dataclasses.dataclass` decorates, Python 3.11 writes and compiles six methods, for which it imports
`inspect`.  This takes half a millisecond a class, a tenth of a whole `tm check`.  Here classes share the methods that
need not differ, and each of the others (``__init__``, ``__eq__``, ``__hash__``) is compiled at its first call.

Options that the toolkit does not use are missing: order, ``KW_ONLY``, ``InitVar``.  The functions of the standard
library (`fields`, `replace`, `asdict`, `is_dataclass`) and `copy.replace` accept these values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:  # to a type checker they are the standard library's
    from dataclasses import dataclass, field, replace
    from functools import cached_property

__all__ = ["cached_property", "dataclass", "field", "field_names", "new_tuple", "replace"]

_Method = Callable[..., Any]

new_tuple = tuple.__new__
"""Make a value of a named tuple from a tuple of all its fields, in half the time that a call of its class takes."""


class _Unset:
    """What a field without a default has."""

    def __repr__(self) -> str:
        return "no default"


_UNSET: Any = _Unset()


class _Field(NamedTuple):
    """A field: its default, or what makes one, and whether it is shown and compared."""

    default: Any = _UNSET
    factory: Callable[[], Any] | None = None
    repr: bool = True
    compare: bool = True


class _How(NamedTuple):
    """What was asked of a class."""

    frozen: bool
    slots: bool
    kw_only: bool


def field_names(of: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields, in order."""
    return tuple(_fields_of(of))


def _fields_of(of: type) -> dict[str, _Field]:
    found: dict[str, _Field] = getattr(of, "__own_fields__", {})
    return found


if not TYPE_CHECKING:

    def field(
        *,
        default: Any = _UNSET,
        default_factory: Callable[[], Any] | None = None,
        repr: bool = True,  # noqa: A002 - as the original has it
        compare: bool = True,
    ) -> Any:
        """Return a field with a default, or with what makes one."""
        return _Field(default, default_factory, repr, compare)

    def dataclass(
        cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
    ) -> Any:
        """Return the class with the methods of a dataclass; called without one, what does so."""

        def made(one: type) -> type:
            return _made(one, _How(frozen, slots, kw_only), eq=eq)

        return made if cls is None else made(cls)

    class cached_property:  # noqa: N801 - as the original has it
        """A property that is computed once, without the lock that the original takes before Python 3.12."""

        def __init__(self, function: Callable[[Any], Any]) -> None:
            self.function = function
            self.__doc__ = function.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self.name = name

        def __get__(self, value: Any, owner: type | None = None) -> Any:
            if value is None:
                return self
            found = self.function(value)
            object.__setattr__(value, self.name, found)  # using __dict__ would create one, which takes memory
            return found

    def replace(value: Any, /, **changes: Any) -> Any:
        """Return a value with other values in some fields."""
        of = value.__class__
        for name in of.__own_fields__:
            if name not in changes:
                changes[name] = getattr(value, name)
        return of(**changes)


def _made(cls: type, how: _How, *, eq: bool) -> type:
    own = {name: _field_of(cls.__dict__.get(name, _UNSET)) for name in cls.__annotations__}
    inherited = _fields_of(cls)
    fields = {**inherited, **own}
    methods = _methods(fields, how, eq=eq, given=cls.__dict__)
    if not how.slots:
        defaults = {name: one.default for name, one in own.items() if one.default is not _UNSET}
        for name, value in {**defaults, **methods}.items():
            setattr(cls, name, value)
        return cls
    left_out = {"__dict__", "__weakref__", *own}
    body = {name: value for name, value in cls.__dict__.items() if name not in left_out}
    slots = tuple(name for name in own if name not in inherited)
    made = type(cls)(cls.__name__, cls.__bases__, {**body, **methods, "__slots__": slots})
    made.__qualname__ = cls.__qualname__
    return made


def _field_of(default: Any) -> _Field:
    return default if default.__class__ is _Field else _Field(default)


def _methods(fields: Mapping[str, _Field], how: _How, *, eq: bool, given: Mapping[str, Any]) -> dict[str, Any]:
    """The methods of a class, but for those that its body gives."""
    found: dict[str, Any] = {
        "__own_fields__": fields,
        "__dataclass_fields__": _Originals(how),
        "__match_args__": () if how.kw_only else tuple(fields),
        "__init__": _later("__init__", lambda owner: _init(owner, fields, how)),
        "__repr__": _repr,
        "__replace__": replace,
    }
    if eq:
        compared = [name for name, one in fields.items() if one.compare]
        found["__eq__"] = _later("__eq__", lambda _: _eq(compared))
        found["__hash__"] = _later("__hash__", lambda _: _hash(compared)) if how.frozen else None
    if how.frozen:
        found |= {"__setattr__": _refuse_setting, "__delattr__": _refuse_deleting}
        if how.slots:
            found |= {"__getstate__": _state, "__setstate__": _restore}
    return {name: method for name, method in found.items() if name not in given}


# --- the methods


def _later(name: str, written: Callable[[type], _Method]) -> _Method:
    """A method that is compiled at its first call, and replaces itself."""

    def first(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        owner = next(one for one in type(self).__mro__ if one.__dict__.get(name) is first)
        method = written(owner)
        method.__qualname__, method.__module__ = f"{owner.__qualname__}.{name}", owner.__module__
        setattr(owner, name, method)
        return method(self, *args, **kwargs)

    return first


def _compiled(name: str, parameters: str, lines: Sequence[str], names: dict[str, Any]) -> _Method:
    """A method of these lines, into which only names of fields are written."""
    exec(f"def {name}({parameters}):\n " + "\n ".join(lines), names)  # noqa: S102
    method: _Method = names[name]
    return method


def _init(owner: type, fields: Mapping[str, _Field], how: _How) -> _Method:
    names: dict[str, Any] = {"UNSET": _UNSET, "set_any": object.__setattr__}
    parameters = ["self", *(["*"] if how.kw_only and fields else [])]
    lines = ["pass"]
    for at, (name, one) in enumerate(fields.items()):
        value, default = name, ""
        if one.factory is not None:
            names[f"make_{at}"] = one.factory
            value, default = f"make_{at}() if {name} is UNSET else {name}", "=UNSET"
        elif one.default is not _UNSET:
            names[f"default_{at}"] = one.default
            default = f"=default_{at}"
        parameters.append(f"{name}{default}")
        if how.frozen and how.slots:
            names[f"set_{at}"] = getattr(owner, name).__set__  # the slot's own, past what rejects an assignment
            lines.append(f"set_{at}(self, {value})")
        else:
            lines.append(f"set_any(self, {name!r}, {value})" if how.frozen else f"self.{name} = {value}")
    if hasattr(owner, "__post_init__"):
        lines.append("self.__post_init__()")
    return _compiled("__init__", ", ".join(parameters), lines, names)


def _eq(names: Sequence[str]) -> _Method:
    same = f"return {_tuple_of('self', names)} == {_tuple_of('other', names)}"
    lines = ["if other.__class__ is self.__class__:", f" {same}", "return NotImplemented"]
    return _compiled("__eq__", "self, other", lines, {})


def _hash(names: Sequence[str]) -> _Method:
    return _compiled("__hash__", "self", [f"return hash({_tuple_of('self', names)})"], {})


def _tuple_of(of: str, names: Sequence[str]) -> str:
    return f"({''.join(f'{of}.{name}, ' for name in names)})"


def _repr(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, one in self.__own_fields__.items() if one.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_setting(_self: Any, name: str, _value: Any) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(_self: Any, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__own_fields__]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__own_fields__, state, strict=True):
        object.__setattr__(self, name, value)


class _Originals:
    """The fields as the standard library has them, made when one of its functions asks for them."""

    def __init__(self, how: _How) -> None:
        self.how = how

    def __get__(self, _value: Any, owner: type) -> Mapping[str, Any]:
        import dataclasses

        found: list[tuple[str, Any, Any]] = []
        for name, one in _fields_of(owner).items():
            given: dict[str, Any] = {"repr": one.repr, "compare": one.compare}
            if one.default is not _UNSET:
                given["default"] = one.default
            if one.factory is not None:
                given["default_factory"] = one.factory
            found.append((name, Any, dataclasses.field(**given)))
        shadow = dataclasses.make_dataclass(owner.__name__, found, kw_only=self.how.kw_only)
        fields: Mapping[str, Any] = shadow.__dict__["__dataclass_fields__"]
        return fields
