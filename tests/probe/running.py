"""Small handlers, written to a folder and run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

from threatmodel.probe.protocol import Call, Effect, Limits, Reply, Scenario
from threatmodel.probe.runners.target import runner_for

LIMITS = Limits(seconds=5.0, memory=256 * 1024 * 1024)


def written(folder: Path, text: str, name: str = "app.py") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text), encoding="utf-8")
    return file


def replies(
    file: Path,
    *events: Mapping[str, Any],
    secret: str | None = "s3cret",  # noqa: S107 - not one
    at: Sequence[float | None] = (None,),
    limits: Limits = LIMITS,
    **options: Any,
) -> Sequence[Reply]:
    runner = runner_for(str(file), limits=limits, **options)
    sent = events or ({},)
    calls = tuple(Call(event=event, at=at[min(number, len(at) - 1)]) for number, event in enumerate(sent))
    return runner.run(Scenario(name="test", calls=calls, secret=secret))


def told(reply: Reply) -> list[tuple[str, str, str, bool]]:
    return [(effect.service, effect.operation, effect.detail, effect.refused) for effect in reply.effects]


def effect(service: str, operation: str, detail: str = "", *, refused: bool = False) -> tuple[str, str, str, bool]:
    made = Effect(service=service, operation=operation, detail=detail, refused=refused)
    return made.service, made.operation, made.detail, made.refused
