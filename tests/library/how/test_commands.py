"""Commands in the library are those of the AWS command line."""

from __future__ import annotations

import pytest

from tests.library.how.snippets import CONSOLE, command_problems


@pytest.mark.parametrize("name", CONSOLE)
def test_commands(name: str) -> None:
    assert command_problems(CONSOLE[name]) == []


WRONG_COMMANDS = {
    "aws lambada list-functions": "aws lambada: no such service",
    "aws lambda list-function": "aws lambda list-function: no such command",
    "aws lambda get-policy --function NAME": "aws lambda get-policy: no option --function",
    "aws lambda get-policy --qualifier live": "aws lambda get-policy lacks --function-name",
    "first aws lambda list-functions; then aws iam get-users": "aws iam get-users: no such command",
    "aws lambda get-policy \\\n  --function NAME | jq --raw-output .": "aws lambda get-policy: no option --function",
}


@pytest.mark.parametrize("text", WRONG_COMMANDS)
def test_wrong_command_is_found(text: str) -> None:
    assert WRONG_COMMANDS[text] in command_problems(text)


def test_commands_in_prose() -> None:
    text = (
        "aws iam get-account-summary: 1; aws s3 ls, or aws logs tail GROUP --since 1h; aws iam get-credential-report."
    )
    assert command_problems(text) == []
    assert command_problems("aws lambda list-functions --query 'a | b' | jq --raw-output .") == []
