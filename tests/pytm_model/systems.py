"""A small system and a hostile one, and what pytm makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytm
import pytm.pytm

from tests.support import control, graph_of, threat
from threatmodel.graph.elements import Graph
from threatmodel.pytm_model.model import ThreatModel

MODEL = """\
name: Orders
data: {order: {classification: confidential, personal: true}, code: {name: order, classification: secret}}
apis: {gate: {kind: http}}
stores: {orders: {kind: dynamodb, holds: [order, code]}}
secrets: {pin: {kept_in: secrets-manager}}
functions:
  bot: {triggers: [{slack: events, api: gate}], writes: [orders], secrets: [pin], verifies_signature: true}
  old: {triggers: [], out_of_scope: it goes next week}
flows:
  "internet:gate:request": {transport: http, tcp_port: 80, encrypted: false}
"""


FILES = (
    threat("forged", "{verified: {stops: nobody else can sign}, trained: hinders}"),
    threat("anything", "{verified: hinders}", target="function", applies="true"),
    threat("eavesdropped", "{verified: contains}", target="flow", applies="target.encrypted"),
    threat("read", "{verified: contains}", target="store, queue", applies="true"),
    threat("root", "{trained: hinders}", target="account", applies="target.console_users"),
    control("verified", "target.verifies_signature"),
    control("trained", scope="organization"),
)


def element(model: ThreatModel, name: str) -> Any:
    with model.active():
        return next(e for e in pytm.TM._elements if e.element_id == name)  # noqa: SLF001 - pytm's only list


def flows(model: ThreatModel) -> list[Any]:
    with model.active():
        return list(pytm.TM._flows)  # noqa: SLF001 - as above


def found(model: ThreatModel) -> set[tuple[str, str]]:
    model.check()
    model.resolve()
    return {(finding.threat_id, finding.element.element_id) for finding in model.findings}


HOSTILE = [
    'say "hi"',
    "R&D <prod>",
    "C:\\",
    "'''; import os; os.abort() #",
    '"""); import os; os.abort()',
    "line\nimport os; os.abort()",
    "coding: utf-7",
    "+AAo-import os",
    'x"; URL="javascript:alert(1)',
    "\u202eright to left\u2066",
    "{0} {x} %s %getenv(PATH)",
    "!include /etc/passwd",
    "</i>>]; }",
    "</td><script>",
    "📦 ümläut",
    "\\N\\G\\",
    "<U+000A> ${x} #{y}",
    "a\u2028b\x85c",
    "]]>&amp;&bogus;",
]


def hostile(tmp_path: Path) -> Graph:
    """A system whose every name is hostile."""
    lines = [f"name: {json.dumps(HOSTILE[3])}", f"assumptions: [{', '.join(map(quoted, HOSTILE))}]"]
    for section, facts in (("stores", ""), ("functions", ", triggers: [], reads: [s-0]"), ("apis", "")):
        lines.append(f"{section}:")
        lines += [f"  {section[0]}-{n}: {{name: {quoted(name)}{facts}}}" for n, name in enumerate(HOSTILE)]
    lines.append("data:")
    lines += [f"  d-{n}: {{name: {quoted(name)}, classification: public}}" for n, name in enumerate(HOSTILE)]
    lines.append("boundaries:")
    lines += [f"  b-{n}: {{name: {quoted(name)}, inside: account}}" for n, name in enumerate(HOSTILE)]
    lines.append("externals:")
    lines += [f"  e-{n}: {{name: {quoted(name)}, boundary: b-{n}}}" for n, name in enumerate(HOSTILE)]
    return graph_of(tmp_path, "\n".join(lines))


def quoted(name: str) -> str:
    """As YAML's double quotes have it."""
    return json.dumps(name, ensure_ascii=False).replace("\x85", "\\x85").replace("\u2028", "\\u2028")
