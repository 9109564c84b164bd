"""The file of a new threat or control: every key explained, by the tables that the loader reads it with."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from threatmodel.authoring.insertion import scalar
from threatmodel.library.entries import BEYOND
from threatmodel.library.format import CONTROL, CONTROL_EXAMPLES, THREAT, THREAT_EXAMPLES
from threatmodel.library.placeholders import ADDRESS, placeholder
from threatmodel.reading.shape import Either, Items, Key, NamedItems, Number, Record, Shape, Text, Word

SCENARIO = "exploited-vulnerability"
"""The scenario of a new threat where none is named."""

MITIGATION = BEYOND
"""The mitigation of a new control where none is named."""

ANSWER = "incident-runbook"
"""The control that a new threat links to: it lives on a plane, so it answers a threat to any kind of element."""

_STRIDE_AND_ATTACK = {
    "stolen-access-keys": ("spoofing", "T1078"),
    "malicious-code": ("tampering", "T1195"),
    "denial-of-service": ("denial-of-service", "T1499"),
    "exploited-vulnerability": ("elevation-of-privilege", "T1190"),
    "social-engineering": ("spoofing", "T1566"),
}
_NIST = {
    "access-keys": "IA-5",
    "multi-factor-authentication": "IA-2(1)",
    "version-control": "CM-3",
    "code-review": "SA-11",
    "ddos-protection": "SC-5",
    "guardduty": "SI-4",
    "best-practices": "AC-6",
    BEYOND: "RA-7",
}
"""Where a reader of a new file starts from: the nearest ids for its folder, to be written over."""

_WIDTH = 116


def threat_text(name: str, scenario: str = SCENARIO) -> str:
    """A threat's file that loads as it is, every key explained."""
    stride, attack = _STRIDE_AND_ATTACK[scenario]
    return _file(
        THREAT,
        {
            "id": scalar(name),
            "scenario": scenario,
            "targets": "[function]",
            "applies": "true",
            "stride": f"[{stride}]",
            "likelihood": "3",
            "impact": "3",
            "controls": [f"{ANSWER}: responds"],
            "maps": _maps(THREAT, "attack", attack),
            "references": f"[{ADDRESS}]",
            "examples": ["applies: [{}]", *(f"# {name}: {_EXAMPLES[name]}" for name in THREAT_EXAMPLES[1:])],
        },
        {
            "do": "what to do first where it applies",
            "aliases": "[WORD]",
            "raises": "[{if: target.FACT, impact: 5, because: write why}]",
            "lowers": "[{if: target.FACT, likelihood: 2, because: write why}]",
            "everywhere": "why no element of its kind is spared",
            "reaches": "function",
            "treated_by": "provider",
            "comes": "first",
            "formerly": "[ID]",
            "took_in": "[ID]",
        },
        {
            "applies": "the facts: tm.py --describe function",
            "controls": "ID: EFFECT or ID: {EFFECT: why}",
            "examples": "every change of the condition must change the answer of one of them",
        },
    )


def control_text(name: str, mitigation: str = MITIGATION, scope: str = "function") -> str:
    """A control's file, every key explained; it loads once a threat links to it."""
    return _file(
        CONTROL,
        {
            "id": scalar(name),
            "mitigation": mitigation,
            "kind": "preventive",
            "scope": scope,
            "how": [f"{'' if key.required else '# '}{key.name}: {_write(key)}" for key in _inside(CONTROL, "how")],
            "maps": _maps(CONTROL, "nist_800_53", _NIST[mitigation]),
            "references": f"[{ADDRESS}]",
        },
        {
            "do": "write the action",
            "public": "kept-out",
            "aliases": "[WORD]",
            "formerly": "[ID]",
            "took_in": "[ID]",
            "in_place": "target.FACT",
            "requires": "[CONTROL]",
            "needs": "[{if: target.FACT, else: write why it is not applicable otherwise}]",
            "examples": [f"{name}: {_EXAMPLES[name]}" for name in CONTROL_EXAMPLES],
            "weaker": "[{says: write what looks like it and is not, facts: {FACT: false}}]",
        },
        {
            "in_place": f"the facts: tm.py --describe {scope}",
            "examples": "with in_place or needs; not_applicable with needs",
        },
    )


_EXAMPLES = {
    "does_not_apply": "[{FACT: false}]",
    "undetermined": "[{}]",
    "in_place": "[{FACT: true}]",
    "not_in_place": "[{FACT: false}]",
    "unknown": "[{}]",
    "not_applicable": "[{FACT: false}]",
}

Written = str | list[str]


def _file(
    shape: Record, values: Mapping[str, Written], examples: Mapping[str, Written], more: Mapping[str, str]
) -> str:
    """A file with every key of a shape, a comment above each: stated, or as an example behind a comment sign."""
    lines = [f"# {shape.noun.capitalize()}. Replace the placeholders, and delete the comments."]
    for key in shape.keys:
        about = "; ".join(part for part in (key.meaning, _allowed(key.shape), more.get(key.name, "")) if part)
        lines += ["", *(f"# {line}" for line in textwrap.wrap(about, _WIDTH, break_on_hyphens=False))]
        if key.required:
            lines += _entry(key.name, values.get(key.name) or _write(key))
        else:
            lines += [f"# {line}" for line in _entry(key.name, examples[key.name])]
    return "\n".join(lines) + "\n"


def _entry(name: str, value: Written) -> Iterator[str]:
    if isinstance(value, str):
        yield f"{name}: {value}"
    else:
        yield f"{name}:"
        yield from (f"  {line}" for line in value)


def _write(key: Key) -> str:
    return scalar(placeholder(key.meaning), flow=False)


def _allowed(shape: Shape) -> str:
    """What a shape takes, as a comment says it."""
    match shape:
        case Word():
            return f"{'' if len(shape.words) == 1 else 'one of '}{', '.join(shape.words)}"
        case Items(of=Word() as word):
            return f"any of {', '.join(word.words)}"
        case Items(of=Text() as text) if text.pattern:
            return f"each {text.expected}"
        case Number():
            return f"{shape.low} to {shape.high}"
        case Text() if shape.truth:
            return "target.FACT, one comparison with a constant, and, or, not; true for always"
        case Text() if shape.pattern:
            return f"{shape.expected}, at most {shape.longest} characters"
        case Text():
            return f"at most {shape.longest} characters"
        case NamedItems(of=Either(word=Word() as word)):
            return f"its effect is one of {', '.join(word.words)}"
        case _:
            return ""


def _inside(shape: Record, name: str) -> tuple[Key, ...]:
    """The keys of a key that holds a record."""
    inside = shape.index[name].shape
    return inside.keys if isinstance(inside, Record) else ()


def _maps(shape: Record, stated: str, cited: str) -> list[str]:
    """One list stated, the others as examples: each with an id of the form that it takes."""
    lines = []
    for key in _inside(shape, "maps"):
        example = _allowed(key.shape).rpartition("such as ")[2]
        line = f"{key.name}: [{cited}]" if key.name == stated else f"# {key.name}: [{scalar(example)}]"
        lines.append(f"{line:<36}  # {key.meaning}")
    return sorted(lines, key=lambda line: line.startswith("#"))
