"""A token in any text of a template is in nothing that is written or printed: the name, a path, a reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.at_the_command_line import run, saved

TOKEN = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
PLACES = {
    "schedule": "Events: {S: {Type: Schedule, Properties: {Schedule: TOKEN}}}",
    "path": "Events: {S: {Type: HttpApi, Properties: {Path: /hook/TOKEN, Method: POST}}}",
    "queue": 'Events: {E: {Type: SQS, Properties: {Queue: "arn:aws:sqs:us-east-1:111122223333:TOKEN"}}}',
    "host": 'Environment: {Variables: {URL: "https://TOKEN.example.com/x"}}',
    "references": 'Environment: {Variables: {A: !Sub "${TOKEN}", B: !Ref TOKEN, C: !GetAtt TOKEN.x}}',
    "runtime": "Runtime: TOKEN, Timeout: TOKEN",
    "name": "FunctionName: TOKEN, Description: TOKEN, Tags: {a: TOKEN}",
    "grant": 'Policies: [{Statement: [{Effect: Allow, Action: "sqs:TOKEN", Resource: "arn:aws:sqs:::TOKEN"}]}]',
}


@pytest.mark.parametrize("place", PLACES)
def test_no_output_holds_a_token(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written = f"Handler: a.h, CodeUri: s3://b/k, {PLACES[place].replace('TOKEN', TOKEN)}"
    if place != "runtime":
        written += ", Runtime: python3.13"
    function = f"  Bot: {{Type: AWS::Serverless::Function, Properties: {{{written}}}}}\n"
    saved("template.yaml", f"Transform: AWS::Serverless-2016-10-31\nResources:\n{function}")
    code, *said = run("import", "template.yaml", "-o", "model.yaml")
    assert code == 0, said
    model = ("-m", "model.yaml")
    said += [Path("model.yaml").read_text(encoding="utf-8")]
    said += [one for option in ("--json", "--report", "--dfd", "--pytm") for one in run(*model, option)[1:]]
    said += run("check", *model, "-v")[1:]
    secret = TOKEN[8:]
    assert [one for one in said if secret in one or secret.lower() in one.lower()] == []
