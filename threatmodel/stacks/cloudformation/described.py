"""What `aws cloudformation describe-stacks` answers of a stack: its parameters' values, its status, when and where."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from threatmodel.reading.problems import InputError, listed, quoted, refusal
from threatmodel.reading.times import time_of
from threatmodel.stacks.stack import Home

_STACKS = "Stacks"
_FINISHED = frozenset(("CREATE_COMPLETE", "IMPORT_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"))
"""States of a stack that has the resources and values of its last deployment."""
_ID = re.compile(r"arn:[a-z0-9-]+:cloudformation:([a-z0-9-]+):(\d{12}):stack/([A-Za-z][A-Za-z0-9-]*)/[0-9a-f-]+")
_STATUS = re.compile(r"[A-Z]+(?:_[A-Z]+){1,6}")
_WITHHELD = "****"


class Described(NamedTuple):
    """One stack, as AWS describes it.

    `values` are those of its parameters, without those that are `withheld` (NoEcho).  `unfinished` says why it is no
    finished deployment, '' where it is one.  `changed` is when it was deployed last, `home` its account and Region.
    """

    name: str
    values: Mapping[str, str]
    withheld: frozenset[str]
    unfinished: str
    changed: datetime.datetime | None
    home: Home | None


def is_answer(raw: object) -> bool:
    """Whether JSON is an answer of describe-stacks."""
    return isinstance(raw, dict) and isinstance(raw.get(_STACKS), list)


def described(raw: Mapping[str, Any], file: str, name: str = "") -> Described:
    """Return the stack of a name in an answer, or the only one.  Raises InputError where there is none, or several."""
    stacks = [one for one in raw[_STACKS] if isinstance(one, dict) and isinstance(one.get("StackName"), str)]
    found = [one for one in stacks if not name or one["StackName"] == name]
    names = listed(quoted(str(one["StackName"])) for one in stacks)
    if not found:
        message = f"the answer of describe-stacks has no stack {quoted(name)}" if name else "it describes no stack"
        raise _refused(file, message, f"write stage: with one of {names}" if stacks else "describe the deployed stack")
    if len(found) > 1:
        raise _refused(file, f"the answer of describe-stacks has {len(found)} stacks", f"write stage: one of {names}")
    return _of(found[0], file)


def stack_names(raw: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the stacks in an answer that are not nested in another one, and are not deleted."""
    for one in raw[_STACKS]:
        named = isinstance(one, dict) and isinstance(one.get("StackName"), str)
        if named and not one.get("ParentId") and one.get("StackStatus") != "DELETE_COMPLETE":
            yield one["StackName"]


def _of(stack: Mapping[str, Any], file: str) -> Described:
    values: dict[str, str] = {}
    withheld = set[str]()
    parameters = stack.get("Parameters") or []
    for one in parameters if isinstance(parameters, list) else [None]:
        name, value = (one.get("ParameterKey"), one.get("ParameterValue")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(value, str):
            raise _refused(file, "a parameter of the stack has no key and value that are texts", _AGAIN)
        if value == _WITHHELD:
            withheld.add(name)
        else:
            values[name] = value
    return Described(
        name=stack["StackName"],
        values=values,
        withheld=frozenset(withheld),
        unfinished=_unfinished(stack),
        changed=time_of(stack.get("LastUpdatedTime") or stack.get("CreationTime")),
        home=_home(stack.get("StackId")),
    )


_AGAIN = "save it again: aws cloudformation describe-stacks --stack-name NAME --output json"


def _unfinished(stack: Mapping[str, Any]) -> str:
    said = stack.get("StackStatus")
    status = said if isinstance(said, str) and _STATUS.fullmatch(said) else "unknown"
    if status in _FINISHED:
        return ""
    return f"the stack {quoted(stack['StackName'])} has the status {status}: its last deployment did not finish"


def _home(identity: object) -> Home | None:
    found = _ID.fullmatch(identity) if isinstance(identity, str) else None
    return Home(found[2], found[1]) if found else None


def _refused(file: str, message: str, hint: str) -> InputError:
    return refusal("wrong-parameters", file, message, hint)
