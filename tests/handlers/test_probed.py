"""What the probe finds in the corpus: the saved figures are those of the page, and a sample is measured again."""

from __future__ import annotations

import json
import re
import shutil
import sys

import pytest

from tests.handlers.corpus import SOUND, Handler, abouts, load
from tests.handlers.probing import (
    FACTS,
    PAGE,
    SAVED,
    current_page,
    digests,
    judged,
    naming,
    outcomes,
    page,
    probed,
)
from threatmodel.probe.cases import load_cases

FIGURES = json.loads(SAVED.read_text(encoding="utf-8"))
SAMPLE = {
    "absent-header/other-case",
    "cancelling-comparison/sorted-digits",
    "chosen-algorithm/default-echoes",
    "encoded-body/base64-is-binary",
    "exempt-route/double-slash",
    "kept-verdict/verdict-by-signature",
    "malformed-timestamp/date-instead-of-seconds",
    "overridden-fields/query-over-form",
    "sound/plain-javascript",
    "sound/seen-before",
    "stopped-clock/module-constant",
    "stripped-assertion/assert-compare",
}


def test_each_class_has_facts_and_probes_that_name_it() -> None:
    probes = {case.id for case in load_cases()}
    assert set(naming()) == set(abouts()) - {SOUND}
    for group, concerned in naming().items():
        assert set(concerned["facts"]) <= set(FACTS), group
        assert set(concerned["probes"]) <= probes, group


def test_the_page_has_the_saved_figures() -> None:
    text = PAGE.read_text(encoding="utf-8")
    given, now = (re.sub(r"\d+ of these figures", "some of these figures", one) for one in (text, current_page(text)))
    assert now == given, "run python -m tests.handlers.probing --page"


def test_figures_of_another_probe_are_stale() -> None:
    now = digests()
    current = [{**what, "digest": now[what["id"]]} for what in FIGURES["handlers"]]
    assert "stale" not in page({"handlers": current})
    assert "**1 of these figures are stale" in page({"handlers": [*current[1:], {**current[0], "digest": "0" * 12}]})


def test_the_figures_are_of_all_handlers() -> None:
    assert set(outcomes(FIGURES)) == {handler.id for handler in load()}


def handlers() -> list[object]:
    return [
        pytest.param(handler, id=handler.id, marks=pytest.mark.slow if handler.id in SAMPLE else pytest.mark.long)
        for handler in load()
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="handlers are not run on Windows")
@pytest.mark.parametrize("handler", handlers())
def test_the_probe_does_on_a_handler_as_it_did(handler: Handler) -> None:
    if handler.language == "javascript" and shutil.which("node") is None:
        pytest.skip("needs Node.js")
    assert judged(handler, probed(handler), naming()) == outcomes(FIGURES)[handler.id]
