"""The JSON of `tm --json`, read back to be compared: what of it counts, and in which shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from threatmodel.assessment.assessed import VERDICTS
from threatmodel.assessment.former import current_json
from threatmodel.library.entries import FormerIds
from threatmodel.reading.problems import InputError, Place, quoted, refusal
from threatmodel.reading.saved import Shape, hold, loaded

_PLACE: Shape = ({"file": "text", "line": "number"},)
_FACT: Shape = {
    "fact": "text",
    "known": "truth",
    "value": "any",
    "note?": "text",
    "file?": ("text",),
    "line?": ("number",),
}
_CELL: Shape = {"band": "text", "score": "number"}

ASSESSMENT: Shape = {
    "schema_version": "text",
    "library?": {"former?": {"threats?": {"*": "text"}, "controls?": {"*": "text"}}},
    "model": {"name": "text", "revision": "text"},
    "elements": [
        {
            "id": "text",
            "kind": "text",
            "name": "text",
            "boundary": "text",
            "out_of_scope": ("text",),
            "location?": _PLACE,
            "facts": [_FACT],
        }
    ],
    "flows": [
        {
            "id": "text",
            "source": "text",
            "target": "text",
            "label": "text",
            "view": "text",
            "data": ["text"],
            "location?": _PLACE,
            "facts": [_FACT],
        }
    ],
    "findings": [
        {
            "id": "text",
            "verdict": frozenset(VERDICTS),
            "claimed": _CELL,
            "proven": _CELL,
            "applies?": "text",
            "element?": "text",
            "why?": [{"fact": "text"}],
            "controls?": [{"element": "text", "state": "text", "reason": "text"}],
            "location?": _PLACE,
            "mend_at?": _PLACE,
        }
    ],
    "controls": [{"id": "text", "states": [{"element": "text", "state": "text"}]}],
    "actions?": [{"do": "text", "cause": [{"element": "text", "fact": "text"}]}],
    "evidence?": [
        {"kind": "text", "elements": {"*": "text"}, "path?": "text", "chosen?": {"*": "text"}, "sha256?": "text"}
    ],
    "reliances?": [{"kind": "text", "what": "text", "by": ("text",), "location?": _PLACE}],
    "invariants?": [
        {
            "id": "text",
            "of": "text",
            "if": ("text",),
            "holds": "text",
            "severity": "text",
            "location?": _PLACE,
            "binds": [
                {
                    "element": "text",
                    "holds": frozenset({"proven", "claimed", "unknown", "broken"}),
                    "exempt": ({"in_force": "truth"},),
                    "location?": _PLACE,
                }
            ],
        }
    ],
}
"""What `changes` reads of an assessment, by its current names; keys of later versions of its schema may be missing."""

_HINT = "write it again with tm --json FILE"


def saved_assessment(text: str, place: Place, former: FormerIds, newest: str) -> Mapping[str, Any]:
    """Return the assessment in a file's text, with current names in place of former ones.

    `newest` is the schema version that this version of the toolkit writes.  Raises InputError where the text holds no
    assessment, or one of another schema.
    """
    found = loaded(text, place, "no-assessment", _HINT)
    version = found.get("schema_version") if isinstance(found, dict) else None
    if version is None:
        raise _refusal(
            place, f"{quoted(PurePath(place.file).name)} is not an assessment", "write one with tm --json FILE"
        )
    if not isinstance(version, str) or version.partition(".")[0] not in {"1", newest.partition(".")[0]}:
        message = f"this assessment has the schema version {quoted(version)}; this toolkit reads 1 to {newest}"
        raise _refusal(place, message, _HINT)
    hold(found, {"elements": [{"id": "text", "kind": "text"}]}, place, "no-assessment", _HINT)
    try:
        current = current_json(found, former)
    except RecursionError:  # in a part that no version wrote
        raise _refusal(place, "it is nested too deeply", _HINT) from None
    hold(current, ASSESSMENT, place, "no-assessment", _HINT)
    return current


def _refusal(place: Place, message: str, hint: str) -> InputError:
    return refusal("no-assessment", place, message, hint)
