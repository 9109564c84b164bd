"""A check as JSON, for programs that no other form suits."""

from __future__ import annotations

import json
from typing import Any

from threatmodel.assessment.gate.results import Result
from threatmodel.reading.problems import Place, escaped
from threatmodel.render.checks.checked import Checked, Totals, level

SCHEMA_VERSION = "1.0"


class Json:
    """The form: a list of models with their results, then the sums."""

    def __init__(self) -> None:
        self._begun = False

    def head(self) -> str:
        """The start."""
        return f'{{\n "schema_version": "{SCHEMA_VERSION}",\n "models": ['

    def model(self, checked: Checked) -> str:
        """One model."""
        before = "," if self._begun else ""
        self._begun = True
        return f"{before}\n  {_json(_model(checked), 2)}"

    def tail(self, totals: Totals) -> str:
        """The sums and the exit code."""
        sums = {
            "models": totals.models,
            "failing": totals.red,
            "broken": totals.broken,
            "fails": totals.fails,
            "warns": totals.warns,
            "exit_code": totals.code,
        }
        return f'{chr(10) + " " if self._begun else ""}],\n "summary": {_json(sums, 1)}\n}}\n'


def _model(checked: Checked) -> dict[str, Any]:
    if checked.problems:
        return {"file": checked.file, "exit_code": 2, "problems": checked.problems.strip().split("\n")}
    return {
        "file": checked.file,
        "name": checked.name,
        "revision": checked.revision,
        "assessed_on": checked.day,
        "exit_code": checked.code,
        "verdicts": dict(checked.verdicts),
        "by_word": list(checked.by_word[1:]),
        "results": [_result(result) for result in checked.results],
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "code": result.code,
        "name": result.name,
        "rule": result.rule,
        "element": result.element,
        "level": level(result),
        "fails": result.fails,
        "band": result.band or None,
        "score": result.score or None,
        "message": result.message,
        "do": result.do,
        "accepted": result.accepted or None,
        "since_baseline": result.since or None,
        "location": _location(result.place),
        "related": [{**_location(one.place), "message": one.message} for one in result.related],
    }


def _location(place: Place) -> dict[str, Any]:
    return {"file": str(place) if place.part else place.file, "line": place.line or 1, "column": place.column or 1}


def _json(value: Any, depth: int) -> str:
    return escaped(json.dumps(value, indent=1, ensure_ascii=False)).replace("\n", "\n" + " " * depth)
