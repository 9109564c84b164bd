"""The questions about several values at once (policies, patterns, rates) that code answers: one decorator each.

A place of the data files names an analysis and the set of sources that it looks at; each source says what its values
are (`takes`).  An analysis answers from what was gathered.  Where a source could not be read it gives an answer only
if no reading of it could change the answer, and else unknown.  Where nothing is gathered it says nothing.  What is
gathered may concern others too (all functions that an api calls, all distributions of an account): it looks at what
concerns the element.

A `policy`, `trust` or `guardrail` is a policy document: an object, or JSON text, which IAM also encodes as in a URL.
`managed` is the ARN or name of a policy that is attached; if it is in the same files, its document is gathered
too.  `sam` is what SAM's Policies holds: names, ARNs, documents and policy templates.  Other parts are what the path of
their source gives, whole.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from threatmodel.evidence.answers import AnalysisFunction
from threatmodel.reading.shape import Flag, Number
from threatmodel.reading.values import dataclass

Answers: TypeAlias = "type[Flag | Number] | tuple[str, ...]"
"""What an analysis answers: a yes/no, a number, or one of some words."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """One question: what it answers, the parts that it can look at, what answers it, and in which module."""

    answers: Answers
    takes: tuple[str, ...]
    function: AnalysisFunction
    module: str


_REGISTERED: dict[str, Analysis] = {}


def analysis(*takes: str, answers: Answers = Flag) -> Callable[[AnalysisFunction], AnalysisFunction]:
    """Registers a function as the analysis of its name (an underline stands for a hyphen)."""

    def register(function: AnalysisFunction) -> AnalysisFunction:
        rows(*takes, answers=answers)({function.__name__.replace("_", "-"): function})
        return function

    return register


def rows(*takes: str, answers: Answers = Flag) -> Callable[[Mapping[str, AnalysisFunction]], None]:
    """Registers several functions by name: analyses that differ in what they are given."""

    def register(functions: Mapping[str, AnalysisFunction]) -> None:
        for name, function in functions.items():
            whole = function.func if isinstance(function, functools.partial) else function
            _REGISTERED[name] = Analysis(answers, takes, function, whole.__module__)

    return register


@functools.cache
def analyses() -> Mapping[str, Analysis]:
    """Every analysis by name, for the checks of the data files: those of all modules of this package."""
    for module in sorted(one.stem for one in Path(__file__).parent.glob("[a-z]*.py")):
        importlib.import_module(f"{__package__}.{module}")
    return MappingProxyType(dict(_REGISTERED))


@functools.cache
def answering(name: str, module: str) -> AnalysisFunction:
    """Return the function of an analysis; its module is imported only now, since most systems need few of them."""
    importlib.import_module(module)
    return _REGISTERED[name].function
