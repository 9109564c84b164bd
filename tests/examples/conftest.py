"""The example's handlers, loaded beside stand-ins."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from tests.examples.standing_in import AT, CONTEXT, ENVIRONMENT, Ask, Aws, loaded, rest


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return Aws(AT)


@pytest.fixture
def ask(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks order-bot: Slack's own request, with what the test changes of it."""
    app = loaded("app", aws, monkeypatch)
    monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: aws.now))

    def asked(event: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        answer: dict[str, Any] = app.handler({**rest(), **changes} if event is None else event, CONTEXT)
        return answer

    return asked
