"""Plain text lists: every threat, and the facts of a kind."""

from __future__ import annotations

from threatmodel.library.entries import Library
from threatmodel.model.file import ELEMENTS, FACT_KEYS
from threatmodel.model.vocabulary import FACTS, FactRow
from threatmodel.render.text import wrapped

_WIDTH = 100


def listing(library: Library) -> str:
    """Return one line for each threat: id, scenario, title."""
    threats = library.threats.values()
    ids = max(len(threat.id) for threat in threats)
    scenarios = max(len(threat.scenario) for threat in threats)
    return "".join(f"{t.id:<{ids}}  {t.scenario:<{scenarios}}  {t.title}\n" for t in threats)


def description(kind: str) -> str:
    """Return the keys and facts of a kind: type, AWS's default, meaning."""
    facts = {key.name for key in FACT_KEYS[kind]}
    lines = [f"{kind}: facts (a key of the model file; leave out what is unknown; null means 'not set')", ""]
    for row in FACTS[kind].values():
        if not row.derived:
            lines += _described(row)
    derived = [row for row in FACTS[kind].values() if row.derived]
    if derived:
        lines += ["", "derived facts (used in conditions; they follow from relations and cannot be stated)", ""]
        for row in derived:
            lines += _described(row)
    keys = [key for key in ELEMENTS[kind].keys if key.name not in facts] if kind in ELEMENTS else []
    if keys:
        lines += ["", "other keys", ""]
        for key in keys:
            lines += _wrapped(f"  {key.name}:", key.meaning)
    return "\n".join(lines) + "\n"


def _described(row: FactRow) -> list[str]:
    default = f"  (AWS's default: {row.default})" if row.default else ""
    seen = f"  (seen by: {', '.join(row.seen_by)})" if row.seen_by else "" if row.derived else "  (attestation needed)"
    seen += f"  (may be denied by: {', '.join(row.denied_by)})" if row.denied_by else ""
    return [f"  {row.name}: {row.type}{default}{seen}", *_wrapped("     ", row.meaning)]


def _wrapped(head: str, text: str) -> list[str]:
    return wrapped(text, _WIDTH, f"{head} ", " " * 7) or [head]
