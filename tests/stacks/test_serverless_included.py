"""Files that a serverless.yml takes in are read with it: beside it, within the project, and never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from threatmodel.evidence.unread_parts import Standing
from threatmodel.reading.files import Files
from threatmodel.stacks.readers import read
from threatmodel.stacks.stack import Stack
from threatmodel.stacks.values import Unknown, get, text

HEAD = "service: shop\nprovider: {name: aws, runtime: python3.13, stage: dev}\n"
TABLE = "{Type: AWS::DynamoDB::Table, Properties: {TableName: 'orders-${self:provider.stage}'}}"


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "service").mkdir()
    monkeypatch.chdir(tmp_path / "service")


def stack(more: str, **files: str) -> Stack:
    for name, content in files.items():
        Path(name.replace("__", ".")).write_text(content, encoding="utf-8")
    Path("serverless.yml").write_text(HEAD + more, encoding="utf-8")
    return read("serverless", Path("serverless.yml"), Files())


@pytest.mark.parametrize(
    ("more", "content"),
    [
        ("resources: ${file(tables.yml)}\n", f"Resources:\n  Orders: {TABLE}\n"),
        ("resources:\n  - ${file(./tables.yml)}\n  - Resources: {}\n", f"Resources:\n  Orders: {TABLE}\n"),
        ("resources: {Resources: '${file(tables.yml):tables}'}\n", f"tables:\n  Orders: {TABLE}\n"),
        ("resources: {Resources: {Orders: '${file(tables.yml):tables.Orders}'}}\n", f"tables:\n  Orders: {TABLE}\n"),
        ("custom: '${file(tables.yml)}'\nresources: {Resources: '${self:custom.t}'}\n", f"t:\n  Orders: {TABLE}\n"),
    ],
)
def test_what_stands_in_a_file_is_as_if_it_stood_here(more: str, content: str) -> None:
    found = stack(more, tables__yml=content)
    assert not found.unread
    orders = found.resources["Orders"]
    assert text(get(orders.properties, "TableName")) == "orders-dev"
    assert orders.properties.place.file == "tables.yml"
    assert Standing(found).at(orders.properties.place) == {"Orders"}


def test_functions_may_stand_in_files_of_their_own() -> None:
    found = stack(
        "functions:\n  - ${file(one.yml)}\n  - two: ${file(two.json):two}\n",
        one__yml="one: {handler: a.b, timeout: 7}\n",
        two__json='{"two": {"handler": "c.d", "events": [{"httpApi": "POST /slack"}]}}',
    )
    assert not found.unread
    assert text(get(found.resources["OneLambdaFunction"].properties, "Handler")) == "a.b"
    assert text(get(found.resources["TwoLambdaFunction"].properties, "Handler")) == "c.d"
    assert any(one.type == "AWS::ApiGatewayV2::Route" for one in found.resources.values())


def test_the_name_of_a_file_may_hang_on_the_stage() -> None:
    found = stack(
        "functions: {bot: {handler: a.b, timeout: '${file(config.${opt:stage, ''dev''}.yml):timeout}'}}\n",
        config__dev__yml="timeout: 9\n",
    )
    timeout = get(found.resources["BotLambdaFunction"].properties, "Timeout")
    assert timeout is not None
    assert (timeout.value, timeout.given) == (9, ("opt:stage",))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("missing.yml", "there is no file 'missing.yml' here"),
        ("../beyond.yml", "'../beyond.yml' leaves the project"),
        ("/etc/hostname", "'/etc/hostname' leaves the project"),
        ("config.js", "'config.js' is a program, which is not run"),
        ("config.ts", "'config.ts' is a program, which is not run"),
        ("broken.yml", "'broken.yml' cannot be read: expected"),
        ("link.yml", "'link.yml' leaves the project"),
    ],
)
def test_what_cannot_be_read_stays_open(written: str, why: str) -> None:
    Path("../beyond.yml").write_text("t: 1\n", encoding="utf-8")
    Path("link.yml").symlink_to("../beyond.yml")
    found = stack(
        f"functions: {{bot: {{handler: a.b, timeout: '${{file({written}):t}}'}}}}\n",
        broken__yml="t: {a: b\n",
        config__js="module.exports = {t: 1}\n",
    )
    timeout = get(found.resources["BotLambdaFunction"].properties, "Timeout")
    assert isinstance(timeout, Unknown)
    assert timeout.why.startswith(why) or why in timeout.why


def test_a_file_that_is_missing_has_no_say_but_the_default_is_only_usual() -> None:
    found = stack("functions: {bot: {handler: a.b, timeout: '${file(missing.yml):t, 5}'}}\n")
    timeout = get(found.resources["BotLambdaFunction"].properties, "Timeout")
    assert isinstance(timeout, Unknown)
    assert text(timeout.usual) or getattr(timeout.usual, "value", None) == 5


def test_a_key_of_a_file_that_is_missing_has_its_name_however_it_is_written() -> None:
    found = stack(
        "custom: {secrets: '${file(../missing.yml)}'}\n"
        "functions: {bot: {handler: a.b, environment: {A: '${self:custom.secrets.slack.token}',"
        " B: '${file(../missing.yml):slack.token}', C: '${self:custom.secrets}'}}}\n"
    )
    given = [
        getattr(get(found.resources["BotLambdaFunction"].properties, "Environment", "Variables", name), "given", ())
        for name in ("A", "B", "C")
    ]
    assert given == [("file:slack.token",), ("file:slack.token",), ()]


def test_files_that_take_in_each_other_end() -> None:
    found = stack("custom: ${file(a.yml)}\nfunctions: {bot: {handler: a.b, timeout: '${self:custom.x}'}}\n",
                  a__yml="x: ${file(b.yml):x}\n", b__yml="x: ${file(a.yml):x}\n")  # fmt: skip
    assert isinstance(get(found.resources["BotLambdaFunction"].properties, "Timeout"), Unknown)


def test_a_text_is_taken_as_it_is_and_a_problem_is_told_with_its_file() -> None:
    found = stack(
        "custom: ${file(c.yml)}\n"
        "functions: {bot: {handler: a.b, memorySize: '${self:custom.a}', name: '${file(said.txt)}'}}\n",
        said__txt="  shop-bot\n",
        c__yml="a: 1\na: 2\n",
    )
    assert text(get(found.resources["BotLambdaFunction"].properties, "FunctionName")) == "shop-bot"
    assert [(one.code, one.place.file) for one in found.problems] == [("duplicate-key", "c.yml")]
