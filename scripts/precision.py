"""The first lines of `check` for some systems, and a person's judgment of each: docs/maintainers/precision.md.

    python scripts/precision.py [--templates FOLDER] [--write]

Prints the first twenty lines (issues that fail from high) of each system, with the judgment in precision.yaml,
beside this file.  `--templates` names a folder with its public templates, which are left out
without it.  `--write` writes the table.  A line without a judgment is printed with a question mark.
"""

from __future__ import annotations

import argparse
import datetime
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_SHORT = re.compile(r"/\S*/(?=template\.yaml:)")
"""The folder that a template is copied to."""
HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))

import yaml  # noqa: E402 - after the clone's own packages

from threatmodel import assess, load_library, load_model  # noqa: E402
from threatmodel.assessment.assessed import Assessment  # noqa: E402
from threatmodel.assessment.gate.judging import judge  # noqa: E402
from threatmodel.assessment.gate.results import Rules  # noqa: E402
from threatmodel.assessment.issues import issues  # noqa: E402
from threatmodel.authoring.importing.plan import imported  # noqa: E402
from threatmodel.reading.files import Files  # noqa: E402
from threatmodel.render.checks.failing import CheckRow, failing_issues  # noqa: E402
from threatmodel.render.issue_text import title  # noqa: E402

JUDGEMENTS = HOME / "scripts" / "precision.yaml"
PAGE = HOME / "docs" / "maintainers" / "precision.md"
MOST = 20
TODAY = datetime.date(2026, 11, 29)
NEWLINE = "\n"
QUESTIONS = "questions"
"""The line of what any system is asked."""
WORDS = {"act": "worth acting on", "minor": "true but minor", "repeats": "repeats another line", "wrong": "wrong"}


class Line(NamedTuple):
    """A line of a check, by its issue's id, and its judgment ('?' without one)."""

    name: str
    text: str
    judgement: str
    reason: str


def lines(path: Path, judged: Mapping[str, Sequence[str]]) -> Iterator[Line]:
    """The first lines of a check of a model, or of a model imported from a template."""
    assessment, rules = read(path), Rules()
    for row in failing_issues(assessment, tuple(judge(assessment, rules)), rules).rows[:MOST]:
        name = _name(row, assessment)
        judgement, reason = judged.get(name, ("?", ""))
        names = ", ".join(row.elements[:3]) + (f" and {len(row.elements) - 3} more" if row.elements[3:] else "")
        why = _SHORT.sub("", row.cause.replace(NEWLINE, "; "))
        yield Line(name, f"{row.band}{'' if row.sure else '?'}: {row.title}\n{names}\n{why}", judgement, reason)


def _name(row: CheckRow, assessment: Assessment) -> str:
    """The id of the issue that a row shows; QUESTIONS for the row of what any system is asked."""
    alike = (one for one in issues(assessment) if title(one, assessment) == row.title)
    return next((one.id for one in alike if {*row.elements} & {*one.elements}), QUESTIONS)


def read(path: Path) -> Assessment:
    """Return the assessment of a model, or of a model imported from a template."""
    graph = load_model(path, today=TODAY) if _is_model(path) else None
    if graph is None:
        with tempfile.TemporaryDirectory() as folder:
            own = Path(folder) / "template.yaml"
            shutil.copy(path, own)
            model = Path(folder) / "model.yaml"
            model.write_text(imported(own, "", model, Files()).text, encoding="utf-8")
            graph = load_model(model, today=TODAY)
    return assess(graph, load_library(graph), today=TODAY)


def _is_model(path: Path) -> bool:
    return "\nfunctions:" in path.read_text(encoding="utf-8")


def table(found: Mapping[str, Sequence[Line]], systems: Mapping[str, Any]) -> str:
    """The page."""
    groups = {
        group: {name: said for name, said in found.items() if _group(systems[name]) == group} for group in _GROUPS
    }
    parts = [
        f"{_GROUPS[group].format(sums=_sums(alike))}\n{_rows(alike, systems)}\n" for group, alike in groups.items()
    ]
    head = "\n".join([_HEAD.format(most=MOST), *parts, _LEFT])
    return "\n".join([head, *(_said(name, said, systems[name]) for name, said in found.items())])


def _sums(found: Mapping[str, Sequence[Line]]) -> str:
    """Return how many lines got each judgment, and how many of them every system gets."""
    total = Counter(line.judgement for said in found.values() for line in said)
    judged = sum(total[word] for word in WORDS)
    share = f" ({100 * total['act'] / judged:.0f} %)" if judged else ""
    parts = [f"{total[word]} {means}{share if word == 'act' else ''}" for word, means in WORDS.items()]
    asked = sum(line.name == QUESTIONS for said in found.values() for line in said)
    return f"{judged} lines: {', '.join(parts)}. {asked} of them ask what every system is asked"


def _rows(found: Mapping[str, Sequence[Line]], systems: Mapping[str, Any]) -> str:
    rows: list[str] = []
    for name, said in found.items():
        counts = Counter(line.judgement for line in said)
        worst = systems[name]["worst"]
        at = next((str(n) for n, line in enumerate(said, 1) if line.name == worst), "not listed")
        cells = [name, str(len(said)), *(str(counts[word]) for word in WORDS), "-" if worst == "none" else at]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _group(system: Mapping[str, Any]) -> str:
    return str(system.get("group", "known"))


_HEAD = """\
# Precision

A person judged what a reader would do with each of the first {most} lines of `check`. The judgments and their
reasons are in `scripts/precision.yaml`, and `python scripts/precision.py --templates FOLDER --write` writes this
page from it. The toolkit's author judged, so treat the figures as upper bounds. The last column has the line of the
most severe weakness that exists. The aim is that sixteen of twenty lines are worth acting on, none is wrong, and
that weakness is among the first three. A line has one reason, and can have many findings. The last line has the
questions that any system is asked: about the code, the setup, the data and the platform.

On 2026-11-29 every line of 65 systems was judged, as `tm import` and `tm check` show them without any answers. These
are 23 labeled applications of `tests/beside/labels.yaml`, 27 public templates, ten new public Slack applications
and five small ones that were written for this. Of 232 lines 65 are that last line. Of the other 167, 151 are worth
acting on, 13 are true but minor, 2 repeat another line, and 1 is wrong. The wrong one asks for an authorizer before a
redirect of OAuth, where a role with every right may add routes. What this showed is repaired: the first 50 of these
systems had 310 lines before, of which 161 asked what any system is asked. Now they have 171.
"""

_TABLE = """
| system | lines | act | minor | repeats | wrong | most severe |
| --- | --: | --: | --: | --: | --: | --: |"""

_GROUPS = {
    "known": f"""\
The toolkit was developed with the first systems. They are the default model, a bare model, our own samples
(`tests/samples/precision/`), and public templates of AWS's samples as `import` writes them, without any answers.
{{sums}}.
{_TABLE}""",
    "repaired": f"""\
The next systems are public templates. A reviewer first reviewed each template alone, and the review is below. The
figure is not that of the first run, because these templates showed three defects that were then repaired. A trigger
by a bucket whose account is named counted as another account's. A weaker control was named before the one that
stops a flood. An API without functions got an unanswerable question. {{sums}}.
{_TABLE}""",
    "untouched": f"""\
The last systems were reviewed in the same way after that. Nothing was changed for them, but much for others since, so
their lines are not those of the first run. {{sums}}.
{_TABLE}""",
    "sampled": f"""\
Twelve public templates were drawn at random with a fixed seed (26). Two have no function or no valid YAML, three are
above. The others are here. They showed a question that no model can answer, and one cause that was a page long. Both
are repaired. {{sums}}.
{_TABLE}""",
}

_LEFT = """\
Lines that are not worth acting on are about minor settings that a template leaves open, and about harmless code. Two
weaknesses are not found: an API that passes on what a caller names, and open sign-up in a user pool.
"""


def _cell(text: str) -> str:
    """Return a line of a check as a cell: its title, its elements, and what shows it as code."""
    title, names, why = text.replace("|", "/").split(NEWLINE)
    return f"{title}<br>{names}<br>`{why}`"


def _said(name: str, said: Sequence[Line], system: Mapping[str, Any]) -> str:
    head = f"## {name[0].upper()}{name[1:]}\n\nThe most severe weakness: {system['why']}\n"
    head += f"\nThe reviewer wrote: {system['first']}.\n" if "first" in system else ""
    if not said:
        return f"{head}\nNothing fails.\n"
    rows = [
        f"| {number} | {_cell(line.text)} | {line.judgement} | {line.reason} |" for number, line in enumerate(said, 1)
    ]
    return "\n".join([head, "| | line | judged | because |", "| --: | --- | --- | --- |", *rows, ""])


def main() -> None:
    """Prints the lines, and writes the page where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--templates", type=Path, help="a folder with the public templates")
    parser.add_argument("--write", action="store_true", help="write docs/maintainers/precision.md")
    args = parser.parse_args()
    systems: dict[str, Any] = yaml.safe_load(JUDGEMENTS.read_text(encoding="utf-8"))
    found: dict[str, list[Line]] = {}
    for name, system in systems.items():
        folder = args.templates if system.get("public") else HOME
        if folder is None or not (folder / system["file"]).is_file():
            print(f"{name}: left out, it needs --templates")
            continue
        path = folder / system["file"]
        found[name] = list(lines(path, system.get("lines") or {}))
        print(f"\n{name}")
        for number, line in enumerate(found[name], 1):
            print(f"{number:3} {line.judgement:8} {line.name:45} {' '.join(line.text.split(NEWLINE))}")
    if args.write:
        PAGE.write_text(table(found, systems), encoding="utf-8")


if __name__ == "__main__":
    main()
