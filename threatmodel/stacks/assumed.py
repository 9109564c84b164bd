"""What a reading takes for given of what a file leaves to its deployment: one of the worlds that the file allows."""

from __future__ import annotations

from collections.abc import Mapping

from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass, field, replace
from threatmodel.stacks.work import Work

PlainValue = str | int | float | bool
"""A parameter's value."""

_NOTHING: Mapping[str, PlainValue] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What is assumed while a file is read.

    A parameter has the value that `values` gives it, else its default; where `open` is set, a parameter without a value
    is unknown though it has a default.  `conditions` are taken to hold or not, whatever they say.  `stated` has the
    places where the deployment's own values stand: what rests on these rests on no default.  `usual`: a condition is
    decided by the defaults of its parameters.  `names` has what the deployment calls the stack, under '' (of several
    files, under the label of each).
    `withheld` are parameters whose value an answer of AWS hides, and where it does: no default is theirs.
    `work` is how much the reading may take (none: the usual).
    """

    open: bool = False
    usual: bool = False
    values: Mapping[str, PlainValue] = field(default_factory=lambda: _NOTHING)
    conditions: Mapping[str, bool] = field(default_factory=dict)
    stated: Mapping[str, Place] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, Place] = field(default_factory=dict)
    work: Work | None = field(default=None, compare=False, repr=False)

    def with_value(self, parameter: str, value: PlainValue) -> Assumed:
        """The same with a value for a parameter."""
        return replace(self, values={**self.values, parameter: value})

    def with_condition(self, condition: str, *, holds: bool) -> Assumed:
        """The same with a condition decided."""
        return replace(self, conditions={**self.conditions, condition: holds})


DEFAULTS = Assumed()
"""Every parameter at its default, conditions as these decide them."""
