"""What a pytm model holds, as plain data.  Run as a program: ``pytm_told.py SCRIPT`` tells of a plain pytm script.

It imports pytm and nothing of this project, so that a script's own run shows what the script needs.
"""

from __future__ import annotations

import json
import runpy
import sys
from typing import Any

import pytm


def told(tm: Any) -> dict[str, Any]:
    """Elements, flows, threats and findings of the model that is active, checked (twice) and resolved."""
    tm.check()
    tm.check()
    tm.resolve()
    everything = pytm.TM._elements  # noqa: SLF001 - pytm's only list of elements
    flows = pytm.TM._flows  # noqa: SLF001 - in the order of their numbers
    elements = [element for element in everything if not isinstance(element, pytm.Dataflow)]
    names = {id(element): f"{number} {element.name}" for number, element in enumerate([*elements, *flows])}
    return {
        "elements": [_element(element) for element in elements],
        "flows": [[names[id(flow.source)], names[id(flow.sink)], *_flow(flow)] for flow in flows],
        "threats": [[t.id, t.condition, [c.__name__ for c in t.target]] for t in pytm.TM._threats],  # noqa: SLF001
        "findings": sorted([finding.threat_id, names[id(finding.element)]] for finding in tm.findings),
    }


def _element(element: Any) -> list[Any]:
    within = element.inBoundary.name if element.inBoundary else ""
    line = [element.protocol, element.port, element.controls.isEncrypted] if hasattr(element, "port") else []
    return [type(element).__name__, element.name, within, element.inScope, line, sorted(element.levels)]


def _flow(flow: Any) -> list[Any]:
    data = sorted([d.name, d.description, str(d.classification), d.isPII, d.isCredentials] for d in flow.data)
    return [flow.name, flow.protocol, flow.dstPort, flow.controls.isEncrypted, flow.inScope, data]


if __name__ == "__main__":
    found = told(runpy.run_path(sys.argv[1], run_name="script")["tm"])
    ours = [name for name in sys.modules if name.startswith("threatmodel")]
    sys.stdout.write(json.dumps({**found, "ours": ours}))
