"""What in a file is a sign of Slack: names and paths, the service's name, the template's description."""

from __future__ import annotations

from pathlib import Path

import pytest

from threatmodel.evidence.signs import signs
from threatmodel.reading.files import Files
from threatmodel.stacks.readers import read

FUNCTION = "Resources: {Bot: {Type: AWS::Lambda::Function, Properties: {Handler: a.b, Runtime: python3.13}}}\n"
SERVICE = (
    "service: %s\nframeworkVersion: '3'\nprovider: {name: aws, runtime: python3.13}\nfunctions: {bot: {handler: a.b}}\n"
)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("template", FUNCTION, []),
        ("template", f"Description: Posts to Slack\n{FUNCTION}", ["the description"]),
        ("template", f"Description: Posts to a chat\n{FUNCTION}", []),
        ("template", f"Parameters: {{SlackToken: {{Type: String}}}}\n{FUNCTION}", ["the parameter 'SlackToken'"]),
        ("serverless", SERVICE % "slack-bot", ["the service 'slack-bot'"]),
        ("serverless", SERVICE % "weather", []),
    ],
)
def test_signs_of_slack(kind: str, text: str, expected: list[str], tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.yml"
    path.write_text(text, encoding="utf-8")
    assert [what for what, _ in signs(read(kind, path, Files()), {})] == expected
