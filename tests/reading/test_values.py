"""Our dataclasses behave as the standard library's: every class of the toolkit is made both ways and compared."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import threatmodel
from threatmodel.reading.values import dataclass, field, field_names, replace
from threatmodel.stacks.cloudformation.intrinsics import Scope
from threatmodel.stacks.cloudformation.names import Names

_CHECKED = {Names, Scope}
"""Those whose ``__post_init__`` wants genuine values."""


def classes() -> Iterator[type]:
    """Every dataclass of the toolkit."""
    for module in pkgutil.walk_packages(threatmodel.__path__, "threatmodel."):
        if ".inside" not in module.name and ".stubs" not in module.name and not module.name.endswith("__main__"):
            for one in vars(importlib.import_module(module.name)).values():
                if (
                    isinstance(one, type)
                    and one.__module__ == module.name
                    and "__own_fields__" in vars(one)
                    and one not in _CHECKED
                ):
                    yield one


ALL = sorted(classes(), key=lambda one: (one.__module__, one.__qualname__))


def original(of: Any) -> Any:
    """The class as `dataclasses` would make it, from the fields and settings that ours tells."""
    own = {name for one in of.__mro__[:-1] for name in vars(one)}
    fields = [
        (
            one.name,
            Any,
            dataclasses.field(
                default=one.default, default_factory=one.default_factory, repr=one.repr, compare=one.compare
            ),
        )
        for one in dataclasses.fields(of)
    ]
    return dataclasses.make_dataclass(
        of.__name__,
        fields,
        frozen=hasattr(of, "__setattr__") and of.__setattr__ is not object.__setattr__,
        eq=of.__eq__ is not object.__eq__,
        kw_only=bool(own) and not of.__match_args__ and bool(fields),
        slots="__slots__" in vars(of),
    )


def values_of(of: type, start: int = 0) -> dict[str, Any]:
    return {name: f"{name} {at}" for at, name in enumerate(field_names(of), start)}


@pytest.mark.parametrize("of", ALL, ids=lambda of: f"{of.__module__.removeprefix('threatmodel.')}.{of.__qualname__}")
def test_a_class_is_what_the_standard_library_would_make_of_it(of: type) -> None:
    theirs = original(of)
    given = values_of(of)
    expected = theirs(**given)
    own = of(**given)
    assert [getattr(own, name) for name in given] == [getattr(expected, name) for name in given]
    assert repr(own).partition("(")[2] == repr(expected).partition("(")[2] or "__repr__" in vars(of)
    assert of.__match_args__ == theirs.__match_args__  # type: ignore[attr-defined]
    theirs_taken = [(one.name, one.kind) for one in inspect.signature(theirs.__init__).parameters.values()]
    assert [(one.name, one.kind) for one in inspect.signature(of.__init__).parameters.values()] == theirs_taken  # type: ignore[misc]
    same, other = of(**given), of(**values_of(of, 1))
    assert (own == same) is (expected == theirs(**given))
    assert (own == other) is (expected == theirs(**values_of(of, 1)))
    assert (type(own).__hash__ is None) is (theirs.__hash__ is None)
    if theirs.__hash__ is not None and own == same:
        assert hash(own) == hash(same)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Fields of every sort."""

    first: int
    second: str = "two"
    third: dict[str, int] = field(default_factory=dict)
    hidden: str = field(default="", repr=False, compare=False)


@dataclass
class Open:
    """One that may change, by position."""

    first: int
    second: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Longer(Open):
    """One with a field more."""

    third: int = 3


def test_defaults_are_made_anew() -> None:
    one, other = Open(1), Open(1)
    one.second.append(5)
    assert (one.second, other.second) == ([5], [])
    assert Frozen(first=1).third is not Frozen(first=1).third


def test_a_frozen_value_cannot_change() -> None:
    value = Frozen(first=1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'first'"):
        value.first = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'first'"):
        del value.first
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, "fourth", 2)  # noqa: B010 - which no field is


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'first'"):
        Frozen()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'fifth'"):
        Frozen(first=1, fifth=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Frozen(1)  # type: ignore[call-arg]


def test_what_is_not_compared_is_not_shown_either() -> None:
    assert Frozen(first=1, hidden="a") == Frozen(first=1, hidden="b")
    assert "hidden" not in repr(Frozen(first=1, hidden="a"))


def test_values_of_other_classes_differ() -> None:
    assert Open(1) != Longer(1)
    assert Longer(1, [2]) == Longer(1, [2], 3)


def test_a_class_adds_fields_to_those_of_its_base() -> None:
    assert field_names(Longer) == ("first", "second", "third")
    assert not hasattr(Longer(1), "__slots__") or Longer.__slots__ == ("third",)  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [Frozen(first=1, third={"a": 1}), Open(1, [2]), Longer(1, [2], 4)])
def test_values_are_copied_and_kept(value: Any) -> None:
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 - our own
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value
    assert copy.deepcopy(value) is not value


@pytest.mark.parametrize("function", [replace, dataclasses.replace])
def test_a_value_is_replaced_by_either_function(function: Any) -> None:
    value = function(Frozen(first=1, third={"a": 1}), second="new")
    assert value == Frozen(first=1, second="new", third={"a": 1})


def test_the_standard_library_knows_the_fields() -> None:
    assert dataclasses.is_dataclass(Frozen)
    assert dataclasses.asdict(Frozen(first=1)) == {"first": 1, "second": "two", "third": {}, "hidden": ""}
    assert [one.name for one in dataclasses.fields(Longer)] == ["first", "second", "third"]
    assert not dataclasses.is_dataclass(str)


def test_what_is_to_be_done_after_the_fields_are_set_is_done() -> None:
    @dataclass(frozen=True)
    class Range:
        low: int
        high: int

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError(f"{self.low} is above {self.high}")

    assert Range(1, 2).high == 2
    with pytest.raises(ValueError, match="3 is above 2"):
        Range(3, 2)


def test_a_class_below_another_has_its_own_methods() -> None:
    @dataclass(frozen=True)
    class Base:
        one: int

    @dataclass(frozen=True)
    class Below(Base):
        two: int = 2

    below, base = Below(1), Base(1)  # the methods of each are made at its first call
    assert (below.one, below.two, base.one) == (1, 2, 1)
    assert Below(1) == Below(1, 2) != Below(1, 3)
    assert hash(Base(1)) == hash(Base(1))
