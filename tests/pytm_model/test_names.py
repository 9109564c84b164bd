"""Names stay names in all that pytm writes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytm
import pytm.pytm

from tests.pytm_model.systems import HOSTILE, hostile
from threatmodel.library.entries import Library
from threatmodel.pytm_model.model import to_pytm
from threatmodel.render.draw import draw


def test_pytms_diagram_is_dot_whatever_the_names_are(tmp_path: Path, library: Library) -> None:
    model = to_pytm(hostile(tmp_path), library)
    model.check()
    svg = draw(model.dfd(), "svg").decode()
    assert "javascript:" not in re.sub(r"<text.*?</text>", "", svg, flags=re.DOTALL)
    assert "R&amp;D &lt;prod&gt;" in svg


def test_pytms_sequence_diagram_keeps_to_its_lines(tmp_path: Path, library: Library) -> None:
    model = to_pytm(hostile(tmp_path), library)
    model.check()
    for line in model.seq().splitlines():
        assert re.fullmatch(r'@\w+||(actor|database|entity) \w+ as "[^"%!$]*"|\w+ -> \w+: [^"%!$\[]*', line), line


def test_names_are_whole_in_json(tmp_path: Path, library: Library) -> None:
    model = to_pytm(hostile(tmp_path), library)
    model.check()
    model.resolve()
    with model.active():
        dumped = json.loads(json.dumps(model, default=pytm.pytm.to_serializable))
    names = {each["name"] for each in dumped["elements"]}
    assert names >= set(HOSTILE)
