"""A threat model that proves itself: YAML in, data-flow diagrams and an evidence-backed threat report out.

What `__all__` names is public, and docs/api.md shows it; everything else is private.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from threatmodel.api import (
        assess,
        diff,
        draw,
        load_baseline,
        load_library,
        load_model,
        load_rules,
        render_dfd,
        render_diff,
        render_json,
        render_problems,
        render_report,
        render_sequence,
        to_pytm,
    )
    from threatmodel.assessment.actions import Action
    from threatmodel.assessment.assessed import Assessment, Finding, Question
    from threatmodel.assessment.changes import Changes
    from threatmodel.assessment.control_state import Answer, State, Support
    from threatmodel.assessment.gate.known import Baseline
    from threatmodel.assessment.gate.results import CheckResult, Rules
    from threatmodel.assessment.issues import Issue
    from threatmodel.assessment.priorities import Expiry
    from threatmodel.assessment.risk import Cell
    from threatmodel.assessment.safety import Safety
    from threatmodel.graph.elements import Element, Flow, Graph
    from threatmodel.library.entries import Control, Library, Threat
    from threatmodel.model.facts import Fact, Statement
    from threatmodel.reading.files import Files
    from threatmodel.reading.problems import InputError, Place, Problem

_HOME = {
    "Action": "assessment.actions",
    "Answer": "assessment.control_state",
    "Assessment": "assessment.assessed",
    "Baseline": "assessment.gate.known",
    "Cell": "assessment.risk",
    "Changes": "assessment.changes",
    "CheckResult": "assessment.gate.results",
    "Control": "library.entries",
    "Element": "graph.elements",
    "Expiry": "assessment.priorities",
    "Fact": "model.facts",
    "Files": "reading.files",
    "Finding": "assessment.assessed",
    "Flow": "graph.elements",
    "Graph": "graph.elements",
    "InputError": "reading.problems",
    "Issue": "assessment.issues",
    "Library": "library.entries",
    "Place": "reading.problems",
    "Problem": "reading.problems",
    "Question": "assessment.assessed",
    "Rules": "assessment.gate.results",
    "Safety": "assessment.safety",
    "State": "assessment.control_state",
    "Statement": "model.facts",
    "Support": "assessment.control_state",
    "Threat": "library.entries",
    "assess": "api",
    "diff": "api",
    "draw": "api",
    "load_baseline": "api",
    "load_library": "api",
    "load_model": "api",
    "load_rules": "api",
    "render_dfd": "api",
    "render_diff": "api",
    "render_json": "api",
    "render_problems": "api",
    "render_report": "api",
    "render_sequence": "api",
    "to_pytm": "api",
}
"""The module of each public name, which is imported when the name is used, for a fast start-up."""

__all__ = [
    "Action",
    "Answer",
    "Assessment",
    "Baseline",
    "Cell",
    "Changes",
    "CheckResult",
    "Control",
    "Element",
    "Expiry",
    "Fact",
    "Files",
    "Finding",
    "Flow",
    "Graph",
    "InputError",
    "Issue",
    "Library",
    "Place",
    "Problem",
    "Question",
    "Rules",
    "Safety",
    "State",
    "Statement",
    "Support",
    "Threat",
    "__version__",
    "assess",
    "diff",
    "draw",
    "load_baseline",
    "load_library",
    "load_model",
    "load_rules",
    "render_dfd",
    "render_diff",
    "render_json",
    "render_problems",
    "render_report",
    "render_sequence",
    "to_pytm",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"threatmodel.{_HOME[name]}"), name)
