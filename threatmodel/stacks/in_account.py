"""What AWS answers about the resources of a stack, held against its template: physical ids and drift.

Only ids and paths of properties are read, never values.  An answer refutes: a resource that differs is in doubt, one
that is gone may not be there, and one that no template has is noted.  That AWS found no drift proves nothing.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.reading.problems import InputError, Place, listed, quoted, refusal
from threatmodel.reading.times import time_of
from threatmodel.reading.values import dataclass, field, replace
from threatmodel.stacks.cloudformation.names import SAM
from threatmodel.stacks.stack import MADE_OF, Resource, Stack, Unread
from threatmodel.stacks.terraform.rows import own_name_of
from threatmodel.stacks.values import Scalar, Unknown, both

_HINT = (
    "save what list-stack-resources, describe-stack-resources, describe-stack-resource-drifts or "
    "describe-stack-drift-detection-status answers, with --output json"
)
_LISTS = ("StackResourceSummaries", "StackResources")
_DRIFTS, _DETECTION = "StackResourceDrifts", "StackDriftStatus"
_GONE = "DELETE_COMPLETE"


class InAccount(NamedTuple):
    """A resource of a stack as an answer has it: its type, and what AWS calls it."""

    type: str
    physical: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What several answers say of one stack.

    `resources` are those that it has, by logical id, and `whole` says that these are all.  `changed` says of resources
    how the account differs from the template, `deleted` where the answer says that they are gone; `drifted` is that
    something differs without saying what, and `times` are those that the answers have.
    """

    resources: Mapping[str, InAccount] = field(default_factory=dict)
    whole: Unknown | None = None
    changed: Mapping[str, Unknown] = field(default_factory=dict)
    deleted: Mapping[str, Unknown] = field(default_factory=dict)
    drifted: Unknown | None = None
    times: tuple[datetime.datetime, ...] = ()


def answers_in(texts: Mapping[str, str]) -> Answers:
    """Return what some files say, texts by the names of the files.  Raises InputError where one is no such answer."""
    resources: dict[str, InAccount] = {}
    changed: dict[str, Unknown] = {}
    deleted: dict[str, Unknown] = {}
    whole: Unknown | None = None
    drifted: Unknown | None = None
    times: list[datetime.datetime | None] = []
    for file, text in texts.items():
        raw, place = _answer(text, file), Place(file)
        key = next((one for one in _LISTS if one in raw), "")
        rows = list(_rows(raw, key or _DRIFTS, file))
        times += [time_of(one.get(name)) for one in rows for name in ("LastUpdatedTimestamp", "Timestamp")]
        if key:
            resources |= dict(_resources(rows, text, file))
            whole = None if raw.get("NextToken") else Unknown("the stack has no such resource", place)
        elif _DRIFTS in raw:
            differing = {str(one["LogicalResourceId"]): one for one in rows}
            changed |= {name: _changed(one, place) for name, one in differing.items() if _status(one) == "MODIFIED"}
            gone = Unknown("it is deleted in the account", place)
            deleted |= {name: gone for name, one in differing.items() if _status(one) == "DELETED"}
        elif raw.get(_DETECTION) == "DRIFTED":
            why = "the account differs from the template, and this answer does not say where"
            drifted = Unknown(why, place)
    drifted = None if changed or deleted else drifted
    return Answers(
        resources=resources,
        whole=whole,
        changed=changed,
        deleted=deleted,
        drifted=drifted,
        times=tuple(filter(None, times)),
    )


def is_about_resources(raw: object) -> bool:
    """Whether JSON is an answer about the resources of a stack, or their drift."""
    return isinstance(raw, dict) and any(key in raw for key in (*_LISTS, _DRIFTS, _DETECTION))


def _answer(text: str, file: str) -> Mapping[str, Any]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise _refused(file, "this is no JSON that can be read; it may be cut short") from None
    if not isinstance(raw, dict) or not is_about_resources(raw):
        found = ", ".join(map(quoted, sorted(raw)[:5])) if isinstance(raw, dict) and raw else "nothing"
        raise _refused(file, f"this is no answer about the resources of a stack; it has {found}")
    return raw


def _rows(raw: Mapping[str, Any], key: str, file: str) -> Iterator[Mapping[str, Any]]:
    """The entries of a list.  Raises InputError where one has no logical id."""
    found = raw.get(key, [])
    for one in found if isinstance(found, list) else [None]:
        if not isinstance(one, dict) or not isinstance(one.get("LogicalResourceId"), str):
            raise _refused(file, f"an entry of {quoted(key)} has no LogicalResourceId")
        yield one


def _resources(rows: list[Mapping[str, Any]], text: str, file: str) -> Iterator[tuple[str, InAccount]]:
    lines = text.splitlines()
    for one in rows:
        name = str(one["LogicalResourceId"])
        if one.get("ResourceStatus") != _GONE:
            at = next((number for number, line in enumerate(lines, 1) if f'"{name}"' in line), 1)
            kind, physical = one.get("ResourceType"), one.get("PhysicalResourceId")
            yield (
                name,
                InAccount(
                    kind if isinstance(kind, str) else "",
                    physical if isinstance(physical, str) else "",
                    Place(file, at if len(lines) > 1 else 1),
                ),
            )


def _status(one: Mapping[str, Any]) -> object:
    return one.get("StackResourceDriftStatus")


def _changed(one: Mapping[str, Any], place: Place) -> Unknown:
    """How a resource differs: by the names of its properties, never their values."""
    differences = one.get("PropertyDifferences")
    rows = differences if isinstance(differences, list) else ()
    paths = (item.get("PropertyPath") for item in rows if isinstance(item, dict))
    names = dict.fromkeys(path.split("/")[1] for path in paths if isinstance(path, str) and path.startswith("/"))
    return Unknown(f"the account has another {listed(names, 5) or 'value'} than the template", place)


def _refused(file: str, message: str) -> InputError:
    return refusal("wrong-parameters", file, message, _HINT)


# --- held against a template


def held_to(stack: Stack, answers: Answers) -> Stack:
    """Return the stack of a template with the names that AWS gives its resources, and doubts where they differ."""
    resources = {name: _held(one, answers) for name, one in stack.resources.items()}
    return replace(stack, resources=resources, unread=(*stack.unread, *_unread(stack, answers)))


def _held(resource: Resource, answers: Answers) -> Resource:
    there, gone = answers.resources.get(resource.name), answers.deleted.get(resource.name)
    kind = MADE_OF.get(resource.type, resource.type)
    if there is None:
        is_own = not resource.made_by and "." not in resource.name and not kind.startswith(SAM)
        missing = answers.whole if is_own else None
        return replace(resource, doubt=both(resource.doubt, gone or missing)) if gone or missing else resource
    if there.type and there.type != kind and not kind.startswith(SAM):
        return replace(resource, doubt=both(resource.doubt, Unknown("the stack has another type", there.place)))
    return replace(_named(resource, there), doubt=both(resource.doubt, gone) if gone else resource.doubt)


def _named(resource: Resource, there: InAccount) -> Resource:
    """A resource with the name that AWS gave it, where its template gives none."""
    key, name = own_name_of(MADE_OF.get(resource.type, resource.type)), there.physical.rpartition("/")[2]
    if not key or not name or ":" in name or key in resource.properties.entries or resource.opaque is not None:
        return resource
    entries = {**resource.properties.entries, key: Scalar(name, there.place)}
    return replace(resource, properties=resource.properties._replace(entries=entries))


def _unread(stack: Stack, answers: Answers) -> Iterator[Unread]:
    """What the account has that the template does not show."""
    every = frozenset(stack.resources)
    for name, changed in answers.changed.items():
        yield Unread(name=name, why=changed.why, place=changed.place, strength="changes", handed=frozenset({name}))
    if answers.drifted is not None:
        yield Unread(
            name="drift", why=answers.drifted.why, place=answers.drifted.place, strength="changes", handed=every
        )
    for name, there in answers.resources.items():
        if name not in every and not any(one.type.startswith(SAM) for one in stack.resources.values()):
            why = f"the stack has this {there.type or 'resource'}, and the template does not"
            yield Unread(name=name, why=why, place=there.place, strength="adds", handed=every)
