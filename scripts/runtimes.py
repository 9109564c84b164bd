#!/usr/bin/env python3
"""Writes threatmodel/model/runtimes.py, the dated table of Lambda's runtimes, from the one that cfn-lint ships.

cfn-lint's maintainers keep it from AWS's page of runtimes (MIT-0). A maintainer runs this each quarter:

    .venv/bin/pip install --upgrade cfn-lint && .venv/bin/python scripts/runtimes.py

`--check` writes nothing and fails where the table differs.
"""

from __future__ import annotations

import datetime
import json
import sys
from importlib import metadata, resources
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "threatmodel" / "model" / "runtimes.py"

_HEAD = '''"""Lambda's runtimes and the day from which AWS patches each no longer.

Written by scripts/runtimes.py from the table of cfn-lint {version}, which follows
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html; None: no day is announced.
"""

from __future__ import annotations

import datetime

CHECKED = datetime.date({year}, {month}, {day})
"""The day on which the table was taken."""

RUNTIMES: dict[str, datetime.date | None] = {{
'''


def table(lifecycle: dict[str, dict[str, str | None]], version: str, checked: datetime.date) -> str:
    """The module's text: every runtime of cfn-lint's table, by name."""
    lines = [_HEAD.format(version=version, year=checked.year, month=checked.month, day=checked.day)]
    for name, dates in sorted(lifecycle.items()):
        day = datetime.date.fromisoformat(dates["deprecated"]) if dates["deprecated"] else None
        value = f"datetime.date({day.year}, {day.month}, {day.day})" if day else "None"
        lines.append(f'    "{name}": {value},\n')
    lines.append("}\n")
    return "".join(lines)


def main() -> int:
    """Writes or compares the table; the exit code."""
    data = resources.files("cfnlint") / "data" / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json"
    lifecycle = json.loads(data.read_text(encoding="utf-8"))
    version = metadata.version("cfn-lint")
    today = datetime.datetime.now().astimezone().date()
    if "--check" not in sys.argv[1:]:
        TABLE.write_text(table(lifecycle, version, today), encoding="utf-8")
        return 0
    entries = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith('    "')]
    wanted = [line for line in table(lifecycle, version, today).splitlines() if line.startswith('    "')]
    sys.stdout.write(
        "" if entries == wanted else f"{TABLE.name} differs from cfn-lint {version}: run without --check\n"
    )
    return int(entries != wanted)


if __name__ == "__main__":
    raise SystemExit(main())
