"""Runs the probe on the corpus and counts which mistakes it finds.

`naming.yaml` says of each class of mistake which facts it makes false, and which probes name it. A handler is

    caught      one of these probes failed, and one of these facts is denied
    denied      one of these facts is denied, by probes that do not name the class
    missed      all of these facts are proven, which is a false all-clear
    undecided   anything else: the probe says that it does not know

A sound handler is `acknowledged` if the probe proves that it verifies signatures, `denied` if it denies that, the age
of requests, that it fails closed, or that replays are rejected where they are, and `undecided` otherwise. That an empty
secret is a valid key does not count: it is true of many of them, and no hole where the secret is set.

    python -m tests.handlers.probing [NAME...]   runs the probe (NAME: on handlers with this in their id)
    python -m tests.handlers.probing --write     runs it where the saved figures are stale, saves each as it is made,
                                                 and writes docs/probe.md; it can be interrupted, or run in parts (NAME)
    python -m tests.handlers.probing --page      writes the saved figures into docs/probe.md
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import datetime
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.handlers.corpus import ENVIRONMENT, HERE, SOUND, Handler, abouts, load
from tests.handlers.requests import SECRET
from threatmodel import __version__
from threatmodel.probe.asked_for import variables_asked_for
from threatmodel.probe.cases import Case, load_cases
from threatmodel.probe.command import tables_in
from threatmodel.probe.hints import hints_of
from threatmodel.probe.made_up import signing_secret_of
from threatmodel.probe.outcome_names import FAILED
from threatmodel.probe.probing import Options, probe
from threatmodel.probe.result import Result
from threatmodel.probe.runners.lambdas import LambdaRunner
from threatmodel.probe.runners.target import runner_for
from threatmodel.reading.files import Files
from threatmodel.reading.home import PACKAGES
from threatmodel.reading.problems import InputError

PROBE = PACKAGES / "threatmodel" / "probe"
PAGE = HERE.parent.parent / "docs" / "probe.md"
SAVED = HERE / "probed.json"
COMMAND = "python -m tests.handlers.probing --write"
BEGIN, END = "<!-- corpus -->\n", "<!-- /corpus -->"

LIMIT = 300
FACTS = ("verifies_signature", "verification_fails_closed", "timestamp_tolerance_seconds", "rejects_replay")
FAIL_OPEN = {case.id for case in load_cases() if "verification_fails_closed" in case.decides} - {"empty-secret"}
CAUGHT, DENIED, MISSED, UNDECIDED, ACKNOWLEDGED = "caught", "denied", "missed", "undecided", "acknowledged"
OUTCOMES = (CAUGHT, DENIED, UNDECIDED, MISSED)
Saved = Mapping[str, Any]
Naming = Mapping[str, Mapping[str, Sequence[str]]]


def naming() -> Naming:
    """Return the facts and the probes of each class."""
    found: Naming = yaml.safe_load((HERE / "naming.yaml").read_text(encoding="utf-8"))
    return found


def probed(handler: Handler) -> Mapping[str, Any]:
    """Return what the probe says of one handler: facts, the probes that failed, and an error where it cannot run.

    The probes that name the class of a faulty handler are asked first, and all that decide these facts only if they do
    not find it.
    """
    try:
        if not handler.sound:
            few = asked(handler, [case for case in load_cases() if case.id in {"genuine", *named(handler)}])
            if judged(handler, few, naming()) == CAUGHT:
                return few
        own = {"genuine", "other-events", *(() if handler.sound else named(handler))}
        return asked(handler, [case for case in load_cases() if case.id in own or {*FACTS} & {*case.decides}])
    except InputError as error:
        return {"id": handler.id, "facts": {}, "failed": [], "error": str(error)}


def named(handler: Handler) -> Sequence[str]:
    """Return the probes that name its class."""
    return naming()[handler.group]["probes"]


def asked(handler: Handler, cases: Sequence[Case]) -> Mapping[str, Any]:
    """Return what some probes say of a handler, run as the command runs it.  Raises InputError."""
    given = {**variables(handler), **handler.probe.get("env", {})}
    path = handler.folder / handler.file
    target = f"{path}:{handler.handler}"
    secret_env = signing_secret_of(variables_asked_for(path, Files())) or "SLACK_SIGNING_SECRET"
    runner = runner_for(target, secret_env=secret_env, environment=given)
    if isinstance(runner, LambdaRunner):
        runner.give(tables=tables_in(json.dumps(handler.probe.get("tables", {})), handler.id))
    options = Options(
        target=target,
        kind="python" if path.suffix == ".py" else "node",
        version=__version__,
        now=datetime.datetime.now(datetime.UTC),
        hints=hints_of(path, given),
        environment=given,
        body=handler.probe.get("body", ""),
        secret_variable=secret_env,
        seconds=3600.0,  # of a machine that has other work
    )
    return {"id": handler.id, **said(probe(runner, options, cases))}


def said(result: Result) -> dict[str, Any]:
    """Return the facts that a result decides and the probes that failed."""
    failed = [row.probe for row in result.rows if row.outcome == FAILED]
    facts = {fact: value for fact, value in result.decided.items() if fact in FACTS}
    return {"facts": facts, "failed": failed}


def variables(handler: Handler) -> Mapping[str, str]:
    """Return the variables that the handler's source names, but for the one with the signing secret."""
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(handler.folder.rglob("*.*")) if path.is_file())
    given = {name: value for name, value in {**ENVIRONMENT, **handler.env}.items() if value not in {None, SECRET}}
    return {name: value for name, value in given.items() if re.search(rf"\b{name}\b", source)}


def judged(handler: Handler, what: Mapping[str, Any], names: Naming) -> str:
    """Return how the probe did on one handler."""
    facts, failed = what["facts"], what["failed"]
    if handler.sound:
        wrong = is_bad(facts, "verifies_signature") or is_bad(facts, "timestamp_tolerance_seconds")
        opened = set(failed) & FAIL_OPEN
        repeated = "replays" in handler.refuses and is_bad(facts, "rejects_replay")
        if wrong or opened or repeated:
            return DENIED
        return ACKNOWLEDGED if facts.get("verifies_signature") is True else UNDECIDED
    concerned = names[handler.group]
    if any(is_bad(facts, fact) for fact in concerned["facts"]):
        return CAUGHT if set(failed) & set(concerned["probes"]) else DENIED
    return MISSED if all(fact in facts for fact in concerned["facts"]) else UNDECIDED


def is_bad(facts: Mapping[str, Any], fact: str) -> bool:
    """Return whether a fact is decided, and not as it should be."""
    return fact in facts and facts[fact] not in {True, LIMIT}


def outcomes(saved: Saved) -> dict[str, str]:
    """Return how the probe did on each handler, as it was saved."""
    names, by_id = naming(), {handler.id: handler for handler in load()}
    return {what["id"]: judged(by_id[what["id"]], what, names) for what in saved["handlers"]}


def digests(home: Path = PACKAGES) -> dict[str, str]:
    """Return for each handler the digest with which its figure becomes stale; comments and words do not count.

    It covers what a figure follows from: the probe's code and data, as far as they are imported for a run or read in
    one, what all handlers of the corpus share, and the handler itself with its entry.
    """
    own = home / HERE.relative_to(PACKAGES)
    shared = [own / "corpus.py", own / "requests.py", *verdict_files(home)]
    meanings = {path: f"{path.relative_to(home)}\n{_meaning(path)}\n" for path in shared}
    common = {
        language: _digest(*(text for path, text in meanings.items() if not is_foreign(path)))
        for language, is_foreign in _FOREIGN.items()
    }
    names = naming()
    return {one.id: _digest(common[one.language], json.dumps(names.get(one.group)), _of_handler(one)) for one in load()}


_FOREIGN: Mapping[str, Callable[[Path], bool]] = {
    "python": lambda path: path.suffix == ".cjs",
    "javascript": lambda path: "stubs" in path.parts,
}
"""Which files no process of a handler in a language loads."""


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _of_handler(handler: Handler) -> str:
    """Return what one handler is: its entry and its files."""
    files = [path for path in sorted(handler.folder.rglob("*")) if path.suffix in {*_ENDINGS, ".json"}]
    entry = {
        key: value for key, value in dataclasses.asdict(handler).items() if key not in {"folder", "fault", "style"}
    }
    texts = (f"{path.relative_to(handler.folder)}\n{path.read_text(encoding='utf-8')}" for path in files)
    return "\0".join((json.dumps(entry, default=str), *texts))


def verdict_files(home: Path = PACKAGES) -> list[Path]:
    """Return the files that can change what a run says: what it imports of the probe and of the readers of source,
    and all that is read or started in a run, which nothing imports."""
    probe_folder, code = (home / "threatmodel" / name for name in ("probe", "beside/code"))
    started = [path for path in (probe_folder / "runners").rglob("*") if path.suffix in _ENDINGS]
    data = [*(probe_folder / "cases").glob("*.yaml"), *probe_folder.glob("*.json")]
    found, ahead = {*started, *data}, [home / f"{name.replace('.', '/')}.py" for name in _BEGUN]
    while ahead:
        path = ahead.pop()
        if path in found and path not in started:
            continue
        found.add(path)
        ahead += [one for one in _imported(path, home) if one not in found and {probe_folder, code} & {*one.parents}]
    return sorted(path for path in found if "__pycache__" not in path.parts and path.stem not in _WORDS)


_BEGUN = tuple(f"threatmodel.probe.{name}" for name in ("probing", "hints", "asked_for", "made_up", "runners.target"))
"""What the corpus calls of the probe."""
_WORDS = frozenset({"advice", "limits", "over_http", "wording"})
"""Modules that make texts for a reader, or that probe an address, which the corpus has none of."""


def _imported(path: Path, home: Path) -> Iterator[Path]:
    """Yield the modules of the toolkit that a module imports, wherever it does."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        else:
            continue
        for name in names:
            whole = home / name.replace(".", "/")
            yield from (one for one in (whole.with_suffix(".py"), whole / "__init__.py") if one.is_file())


_ENDINGS = frozenset({".py", ".yaml", ".cjs", ".mjs", ".js"})


def _meaning(path: Path) -> str:
    """Return a file without comments, docstrings, titles and layout; JavaScript as it is."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        whole = yaml.safe_load(text)
        return json.dumps({key: value for key, value in whole.items() if key not in {"title", "failure"}}, default=str)
    if path.suffix != ".py":
        return text
    tree = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [one for one in body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    return ast.dump(tree)


def page(saved: Saved) -> str:
    """Return the part of docs/probe.md with the figures."""
    done, total = outcomes(saved), Counter[str]()
    lines = []
    for group, about in abouts().items():
        counted = Counter(outcome for name, outcome in done.items() if name.partition("/")[0] == group)
        if group != SOUND:
            total += counted
            row = [f"**{group}**: {about}", sum(counted.values()), *(counted[one] or "" for one in OUTCOMES)]
            lines.append(f"| {' | '.join(map(str, row))} |\n")
    sound = Counter(outcome for name, outcome in done.items() if name.startswith(f"{SOUND}/"))
    now = digests()
    stale = sum(what["digest"] != now.get(what["id"]) for what in saved["handlers"])
    note = f" **{stale} of these figures are stale: the probe has changed since.**" if stale else ""
    return (
        f"Of {sum(total.values())} faulty handlers, {total[CAUGHT]} are caught: a probe that names the mistake "
        f"denies a fact.\n{total[DENIED]} are denied for another reason, {total[UNDECIDED]} are left undecided, and "
        f"{total[MISSED]} are missed: the fact is proven.\n"
        f"Of {sum(sound.values())} sound handlers, {sound[ACKNOWLEDGED]} are acknowledged, {sound[UNDECIDED]} left "
        f"undecided and {sound[DENIED]} are denied.\n"
        f"`{COMMAND}` makes these figures.{note}\n\n"
        "| mistake | handlers | caught | denied otherwise | undecided | missed |\n"
        f"|{' --- |' * 6}\n"
        f"{''.join(lines)}"
    )


def current_page(text: str) -> str:
    """Return the text of docs/probe.md with the saved figures."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{page(json.loads(SAVED.read_text(encoding='utf-8')))}{END}{rest.partition(END)[2]}"


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="a part of the id of a handler")
    parser.add_argument("--write", action="store_true", help="save the figures of all, and write the page")
    parser.add_argument("--page", action="store_true", help="write the page from the saved figures")
    given = parser.parse_args()
    if not given.page:
        run_and_save(given.names, save=given.write)
    if given.write or given.page:
        PAGE.write_text(current_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def run_and_save(parts: Sequence[str], *, save: bool) -> None:
    """Run the probe on the chosen handlers, show how it did, and save what is new."""
    chosen = [one for one in load() if not parts or any(part in one.id for part in parts)]
    names, now, counted = naming(), digests(), Counter[str]()
    for handler in chosen:
        if save and saved_rows().get(handler.id, {}).get("digest") == now[handler.id]:
            continue
        what = probed(handler)
        outcome = judged(handler, what, names)
        counted["sound " * handler.sound + outcome] += 1
        sys.stdout.write(
            f"{handler.id:45} {outcome:12} {what['facts']} {' '.join(what['failed'])} {what.get('error', '')}\n"
        )
        sys.stdout.flush()
        if save:
            save_rows({**saved_rows(), handler.id: {**what, "digest": now[handler.id]}})
    sys.stdout.write(f"{dict(counted)}\n")


def saved_rows() -> Mapping[str, Mapping[str, Any]]:
    """Return what is saved of each handler."""
    return {what["id"]: what for what in json.loads(SAVED.read_text(encoding="utf-8"))["handlers"]}


def save_rows(rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Save what was found of each handler, in their order."""
    lines = ",\n".join(json.dumps(rows[one.id]) for one in load() if one.id in rows)
    SAVED.write_text(f'{{"handlers": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
