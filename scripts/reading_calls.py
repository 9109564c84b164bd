#!/usr/bin/env python3
"""Write threatmodel/probe/reading-calls.json: which calls of AWS's SDKs read, where their names do not show it.

A call reads if AWS's model of its service (botocore, a dependency of the tests) marks it `readonly`, or if AWS's pages
of actions (iam-actions.json) give it the access level read or list.  A name that begins like one that reads does not
read if these pages give it another level.  Only what differs from the rule of names is in the table.

    .venv/bin/python scripts/reading_calls.py [--check]

`--check` writes nothing and fails where the table would differ.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))  # started as a script, it finds the engine beside its own folder

from scripts.tables import kept  # noqa: E402
from threatmodel.probe.protocol import READING  # noqa: E402

TABLE = HOME / "threatmodel" / "probe" / "reading-calls.json"
LEVELS = HOME / "threatmodel" / "evidence" / "policies" / "iam-actions.json"
JUDGED = {
    "appconfigdata": {"StartConfigurationSession": True},
    "kms": dict.fromkeys(("Decrypt", "Verify", "VerifyMac"), True),
}
"""What neither says as it is: a session of AppConfig is a token to read with, and KMS keeps nothing of a text."""
ACTING = ("Cancel", "Complete", "Create", "Deliver", "Invoke", "Receive", "Request", "Set", "Start", "Stop")
"""Beginnings of calls that change something or run what may, such as an agent, although their level is read."""


def rows(levels: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield each service with the calls that read and those that do not, against the rule of names."""
    session = botocore.session.Session()
    for service in sorted({*session.get_available_services(), *JUDGED}):
        model = session.get_service_model(service)
        names = (service, model.signing_name, model.endpoint_prefix)
        level = next((_by_call(levels[name]) for name in names if name in levels), {})
        found: dict[str, list[str]] = {"reads": [], "acts": []}
        marked: Mapping[str, Any] = model._service_description["operations"]  # noqa: SLF001 - botocore shows no traits
        for call in sorted(marked):
            named = call.startswith(READING)
            reads = JUDGED.get(service, {}).get(call, _reads(call, marked[call], level, named=named))
            if reads != named:
                found["reads" if reads else "acts"].append(call)
        if any(found.values()):
            yield service, {key: calls for key, calls in found.items() if calls}


def _by_call(levels: Mapping[str, str]) -> dict[str, str]:
    return {call: level.rstrip("*") for level, calls in levels.items() for call in calls.split()}


def _reads(call: str, marked: Mapping[str, Any], level: Mapping[str, str], *, named: bool) -> bool:
    if marked.get("readonly"):
        return not call.startswith(ACTING)
    if call not in level:
        return named
    return level[call] in {"read", "list"} and not call.startswith(ACTING)


def text(levels: Mapping[str, Any]) -> str:
    """Return the table as JSON, one service to a line."""
    lines = [f"  {json.dumps(service)}: {json.dumps(calls)}" for service, calls in rows(levels)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: list[str]) -> int:
    """Write or compare the table; the exit code."""
    parser = argparse.ArgumentParser(description="Write the table of calls that read.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where the table differs")
    options = parser.parse_args(arguments)
    return kept(TABLE, text(json.loads(LEVELS.read_text(encoding="utf-8"))), check=options.check)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
