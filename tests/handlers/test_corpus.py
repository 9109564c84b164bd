"""Holds the corpus to its promises: a faulty handler has its hole and looks right otherwise, a sound one has none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.handlers.corpus import ENVIRONMENT, HERE, SECRETS, SOUND, Handler, Spec, abouts, load
from tests.handlers.requests import events, merged, without_nulls

COMMANDS = {
    "python": [sys.executable, "-X", "utf8", str(HERE / "runners" / "python.py")],
    "javascript": ["node", str(HERE / "runners" / "javascript.mjs")],
}
NOW = 1_800_001_234  # the clock of all processes, so that each run signs the same
OLD = 600  # seconds: twice the age that Slack advises to accept

PLAIN: Mapping[str, Spec] = {
    "unsigned": {"signed": False},
    "wrong-key": {"signed": "a key that is not the app's"},
    "old": {"age": OLD},
}
MORE_FOR_SOUND: Mapping[str, Spec] = {
    "changed": {"later_fields": {"text": "changed"}, "later_payload": {"type": "changed"}},
    "future": {"age": -OLD},
}
MANY, FEW = 300, 4  # random signatures for the handler that takes some, and for each sound one


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is sent to one handler in one process, and whether it is to have an effect."""

    handler: Handler
    name: str
    steps: tuple[Spec, ...]
    under: Spec
    effect: str = ""
    succeeds: bool
    tries: int = FEW

    @property
    def id(self) -> str:
        return f"{self.handler.id}: {self.name}"

    def job(self) -> Mapping[str, Any]:
        """Return the job for a runner."""
        handler, under = self.handler, self.under
        secrets = {**SECRETS, **handler.secrets, **under.get("secrets", {})}
        env = without_nulls({**ENVIRONMENT, **handler.env, **under.get("env", {})})
        requests = [
            {"event": event, "now": now, "secrets": {**secrets, **step.get("secrets", {})}}
            for step in self.steps
            for now in [NOW + step.get("clock", 0)]
            for event in events(merged(handler.request, step), now, self.tries)
        ]
        return {
            "folder": str(handler.folder),
            "file": handler.file,
            "handler": handler.handler,
            "env": env,
            "secrets": secrets,
            "tables": handler.tables,
            "optimize": under.get("optimize", 0),
            "now": NOW,
            "requests": requests,
        }

    def found(self, results: list[Any]) -> bool:
        """Whether the last step had the effect."""
        tries = len(list(events(merged(self.handler.request, self.steps[-1]), NOW, self.tries)))
        return any(result["effects"] and self.effect in json.dumps(result["effects"]) for result in results[-tries:])


def trials_of_faulty(handler: Handler) -> Iterable[Trial]:
    """Yield the genuine request, the plain attacks, which are refused, and the one that gets through."""
    yield Trial(handler=handler, name="genuine", steps=({},), under={}, succeeds=True)
    for name, spec in PLAIN.items():
        yield Trial(handler=handler, name=name, steps=(spec,), under={}, succeeds=name in handler.open_to)
    under, effect = handler.under, handler.effect
    yield Trial(
        handler=handler, name="attack", steps=handler.attack, under=under, effect=effect, succeeds=True, tries=MANY
    )


def trials_of_sound(handler: Handler, faulty: Iterable[Handler]) -> Iterable[Trial]:
    """Yield the genuine request, and all attacks of the corpus, each made of this handler's own request."""
    yield Trial(handler=handler, name="genuine", steps=({},), under={}, succeeds=True)
    for name, spec in {**PLAIN, **MORE_FOR_SOUND}.items():
        yield Trial(handler=handler, name=name, steps=(spec,), under={}, succeeds=False)
    seen = set()
    for other in faulty:
        key = json.dumps([other.attack, other.under], sort_keys=True)
        if key in seen or (other.concerns and other.concerns not in handler.refuses):
            continue
        seen.add(key)
        steps, under, effect = other.attack, other.under, other.effect
        yield Trial(handler=handler, name=other.id, steps=steps, under=under, effect=effect, succeeds=False)


def run(trials: list[Trial], language: str) -> list[list[Any]]:
    """Return the results of each trial: for each request its effects, and how it ended."""
    lines = "".join(f"{json.dumps(trial.job())}\n" for trial in trials)
    ran = subprocess.run(COMMANDS[language], input=lines, capture_output=True, check=True, encoding="utf-8")
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("language", list(COMMANDS))
def test_faulty_handlers_have_their_hole_and_sound_ones_have_none(language: str) -> None:
    if shutil.which(COMMANDS[language][0]) is None:
        pytest.skip("needs Node.js")
    handlers = load()
    faulty = [handler for handler in handlers if not handler.sound]
    trials = [
        trial
        for handler in handlers
        if handler.language == language
        for trial in (trials_of_sound(handler, faulty) if handler.sound else trials_of_faulty(handler))
    ]
    results = run(trials, language)
    wrong = [
        f"{trial.id}: expected {'an' if trial.succeeds else 'no'} effect: {json.dumps(result[-1])[:400]}"
        for trial, result in zip(trials, results, strict=True)
        if trial.found(result) != trial.succeeds
    ]
    assert wrong == []


def test_each_handler_says_what_it_is_and_each_folder_is_listed() -> None:
    handlers = load()
    folders = {file.parent for name in ("app.py", "index.mjs", "index.js") for file in HERE.glob(f"*/*/{name}")}
    assert folders == {handler.folder for handler in handlers}
    assert [handler.id for handler in handlers if handler.sound != bool(handler.style)] == []
    assert [handler.id for handler in handlers if handler.sound == bool(handler.fault and handler.attack)] == []


def test_the_corpus_is_large_and_both_languages_have_about_half() -> None:
    counted = Counter((handler.sound, handler.language) for handler in load())
    for sound, least in ((False, 120), (True, 40)):
        python, javascript = counted[sound, "python"], counted[sound, "javascript"]
        assert python + javascript >= least
        assert 0.8 < python / javascript < 1.25, (python, javascript)
    assert len([about for group, about in abouts().items() if about and group != SOUND]) >= 25
