"""The files that a model names under `evidence`."""

from __future__ import annotations

import posixpath
from collections.abc import Hashable, Iterator

from threatmodel.model.entries import items_of, table_of, value_of
from threatmodel.model.evidence_shape import EVIDENCE_KEYS, EVIDENCE_KINDS, EVIDENCE_OF
from threatmodel.model.ids import Ids
from threatmodel.model.system import EvidenceFile
from threatmodel.reading.problems import Place, listed, quoted
from threatmodel.reading.reader import Fields
from threatmodel.reading.values import field_names


def evidence_files(ids: Ids) -> Iterator[EvidenceFile]:
    """The files, as far as their entries can be used, each once."""
    first: dict[Hashable, Place] = {}
    for item in items_of(ids.entries, "evidence"):
        given = [kind for kind in EVIDENCE_KINDS if item.value.given(kind)]
        kinds = [kind for kind in given if not any(kind in EVIDENCE_OF[other] for other in given)]
        if len(kinds) != 1:
            message = f"an entry of the evidence names one file; this one names {listed(kinds) or 'none'}"
            ids.note("missing-key", item.place, message, f"write one of {listed(EVIDENCE_KINDS)}")
        elif kinds[0] in item.value and _belong(ids, item.value, kinds[0]):
            path = item.value[kinds[0]]
            file = EvidenceFile(
                kind=kinds[0],
                path=path.value,
                place=path.place,
                resources={n: (e.value, e.place) for n, e in table_of(item.value, "resources").items()},
                every_function="functions" in item.value,
                parameters=value_of(item.value, "parameters"),
                stage=value_of(item.value, "stage"),
                environment=value_of(item.value, "environment"),
                function=value_of(item.value, "function"),
                code=value_of(item.value, "code") if kinds[0] != "code" else "",
                deployed=tuple(entry.value for entry in items_of(item.value, "deployed")),
                control=value_of(item.value, "control"),
                days=value_of(item.value, "days", None),
                free=tuple(entry.value for entry in items_of(item.value, "free")),
            )
            before = first.setdefault(_stated(file), file.place)
            if before is file.place:
                yield file
            else:
                message = f"{quoted(file.path)} is evidence already, stated alike at {before.short}"
                ids.note("duplicate-key", file.place, message, "keep one of the two")


def _stated(file: EvidenceFile) -> Hashable:
    """All that an entry states, wherever it is in the model."""
    plain = {name: getattr(file, name) for name in field_names(EvidenceFile)}
    plain |= {"path": posixpath.normpath(file.path), "place": None}
    plain["resources"] = tuple(sorted((name, resource) for name, (resource, _) in file.resources.items()))
    return tuple(plain.values())


def _belong(ids: Ids, entries: Fields, kind: str) -> bool:
    """Whether the keys of an entry of the evidence are those of its kind, and what it names is there."""
    strange = [key for key in EVIDENCE_KEYS if key not in {kind, *EVIDENCE_OF[kind]}]
    found = [entries[key] for key in strange if key in entries]
    for entry in found:
        ids.note(
            "unknown-key",
            entry.key,
            f"this key does not belong to a {kind}",
            f"a {kind} has none of {listed(strange)}",
        )
    if kind == "template" and "stage" in entries and "parameters" not in entries:
        message = "a template has no stages: this picks an environment of a samconfig.toml, and none is named"
        ids.note("missing-key", entries["stage"].key, message, "write parameters: with its path, or take it out")
        return False
    if found or not (kind == "probe" or entries.given("function")):
        return not found
    if not entries.given("function"):
        message = "a probe is of one function's handler; this entry names none"
        ids.note("missing-key", entries[kind].place, message, "write function: with its id")
        return False
    function = entries.get("function")
    return function is not None and ids.refers("function", function.value, function.place)
