"""A check as JSON, for other programs."""

from __future__ import annotations

import json
from typing import Any

from threatmodel.assessment.gate.results import CheckResult
from threatmodel.reading.problems import Place, escaped
from threatmodel.render.checks.checked import Checked, Totals, level

SCHEMA_VERSION = "2.0"


class Json:
    """The form: a list of models with their results, then the sums."""

    between = ","

    def head(self) -> str:
        """The start."""
        return f'{{\n "schema_version": "{SCHEMA_VERSION}",\n "models": ['

    def model(self, checked: Checked) -> str:
        """One model: what it is, then its results, a line each."""
        head = _json(_model(checked))
        results = ",".join(f"\n   {_json(_result(result))}" for result in checked.results)
        return f'\n  {head[:-1]}, "results": [{results}]}}'

    def tail(self, totals: Totals) -> str:
        """The sums and the exit code."""
        sums = {
            "models": totals.models,
            "failing": totals.red,
            "broken": len(totals.broken),
            "fails": totals.fails,
            "warns": totals.warns,
            "exit_code": totals.code,
        }
        return f'\n ],\n "summary": {_json(sums)}\n}}\n'


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
        "reliances": list(checked.reliances[1:]),
    }


def _result(result: CheckResult) -> dict[str, Any]:
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


def _json(value: Any) -> str:
    return escaped(json.dumps(value, ensure_ascii=False))
