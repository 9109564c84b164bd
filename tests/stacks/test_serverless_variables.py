"""The variables of a serverless.yml: what they come to, and how much of it is made."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.stacks.dumping import dump
from tests.stacks.serverless_text import BOT, at, function, service
from tests.support import working_at_most
from threatmodel.stacks.assumed import Assumed
from threatmodel.stacks.serverless.reader import read
from threatmodel.stacks.work import Work


def variable(text: str, custom: str = "{}", more: str = "") -> str:
    """What a variable comes to in an environment variable."""
    stack = function(f"environment: {{V: {json.dumps(text)}}}", f"custom: {custom}\n{more}")
    return at(stack, BOT, "Environment", "Variables", "V")


@pytest.mark.parametrize(
    ("text", "custom", "wanted"),
    [
        ("plain", "{}", '"plain"'),
        ("${self:custom.a}", "{a: 5}", "5"),
        ("${self:custom.a.b.1}", "{a: {b: [x, y]}}", '"y"'),
        ("x-${self:custom.a}-${self:custom.b}", "{a: 5, b: true}", '"x-5-true"'),
        ("${self:service}-${self:provider.name}", "{}", '"shop-aws"'),
        ("${self:custom.a}", "{a: '${self:custom.b}', b: z}", '"z"'),
        ("${self:custom.${self:custom.which}}", "{which: b, b: z}", '"z"'),
        ("${self:custom.a, 'fallback'}", "{}", '"fallback"'),
        ('${self:custom.a, "it, has commas"}', "{}", '"it, has commas"'),
        ("${self:custom.a, self:custom.b, 'c'}", "{b: second}", '"second"'),
        ("${self:custom.a, ${self:custom.b}}", "{b: second}", '"second"'),
        ("${self:custom.a, 7}", "{}", "7"),
        ("${self:custom.a, 1.5}", "{}", "1.5"),
        ("${self:custom.a, true}", "{}", "true"),
        ("${self:custom.a, ''}", "{}", '""'),
        ("${self:custom.gone}", "{}", "? nothing is at 'custom.gone' in this file"),
        ("${self:custom.a}", "{a: '${self:custom.a}'}", "? it refers to itself"),
        ("${self:custom.a}", "{a: '${self:custom.b}', b: '${self:custom.a}'}", "? it refers to itself"),
        ("${opt:stage, 'dev'}", "{}", '"dev" <- opt:stage'),
        ("${opt:stage, self:provider.stage}", "{}", '"dev" <- opt:stage'),
        ("${opt:stage}", "{}", "? the option 'stage' is given at deployment <- opt:stage"),
        ("${sls:stage}", "{}", '"dev" <- opt:stage'),
        ("${sls:instanceId}", "{}", "? it is known at deployment"),
        ("${env:TOKEN}", "{}", "? the environment variable 'TOKEN' is read at deployment <- env:TOKEN"),
        ("${env:TOKEN, 'none'}", "{}", '"none" <- env:TOKEN'),
        ("x-${env:TOKEN}", "{}",
         "\"x-\" + (? the environment variable 'TOKEN' is read at deployment <- env:TOKEN) <- env:TOKEN"),
        ("${param:table}", "{}", "? the parameter 'table' is given at deployment <- param:table"),
        ("${aws:accountId}-${aws:region}", "{}", '"${AWS::AccountId}-${AWS::Region}"'),
        ("${ssm:/shop/token}", "{}", "? it is read from the Parameter Store at deployment <- ssm:/shop/token"),
        ("${ssm(eu-west-1):/shop/token}", "{}",
         "? it is read from the Parameter Store at deployment <- ssm:/shop/token"),
        ("${cf:other-dev.Arn}", "{}", "? it is an output of another stack"),
        ("${cf(eu-west-1):other-dev.Arn, 'none'}", "{}", '? it is an output of another stack; usually "none"'),
        ("${s3:bucket/key}", "{}", "? it is read from a bucket at deployment"),
        ("${file(./config.yml):table}", "{}", "? it is in another file <- file:table"),
        ("${file(./${self:custom.f}), 'x'}", "{f: a.yml}", '? it is in another file; usually "x"'),
        ("${git:sha1}", "{}", "? it is read from the repository's state"),
        ("${strToBool(${self:custom.a})}", "{a: 'true'}", "true"),
        ("${strToBool(maybe)}", "{}", "? whether it is true or false is not stated"),
        ("${whatever:x}", "{}", "? nothing is known of variables of the kind 'whatever'"),
        ("${self:custom.${opt:x, 'b'}}", "{b: z}", '"z" <- opt:x'),
        ("${self:custom.${opt:x, 'b'}.c}", "{b: {c: z}}", '"z" <- opt:x'),
        ("${opt:x, opt:x, 'a'}", "{}", '"a" <- opt:x'),
        ("${self:custom.${opt:x}}", "{}", "? which variable is meant is not written out"),
        ("${AWS::Region} ${Table.Arn} ${Table}", "{}", '"${AWS::Region} ${Table.Arn} ${Table}"'),
        ("${self:custom.a", "{a: 1}", '"${self:custom.a"'),
        ("$${self:custom.a}", "{a: 1}", '"$1"'),
    ],
)  # fmt: skip
def test_variable(text: str, custom: str, wanted: str) -> None:
    assert variable(text, custom) == wanted


def test_parameters_by_stage() -> None:
    more = "params: {default: {a: x, b: y}, dev: {a: z}}\nstages: {default: {params: {c: w}}}\n"
    assert variable("${param:a}-${param:b}-${param:c}", more=more) == '"z-y-w" <- param:a, param:b, param:c'


def test_a_variable_may_be_a_mapping() -> None:
    stack = service("custom: {f: {handler: a.b, timeout: 9}}\nfunctions: {bot: '${self:custom.f}'}\n")
    assert at(stack, BOT, "Timeout") == "9"


def test_references_of_cloudformation_stand() -> None:
    more = "resources: {Resources: {Orders: {Type: 'AWS::DynamoDB::Table'}}}\n"
    stack = function('environment: {A: !Ref Orders, B: !Sub "${self:service}-${Orders.Arn}"}', more)
    assert at(stack, BOT, "Environment", "Variables", "A") == "-> Orders"
    assert at(stack, BOT, "Environment", "Variables", "B") == '"shop-" + (-> Orders Arn)'


def test_variables_that_repeat_too_much_are_unknown() -> None:
    steps = [f"a{n}: ['${{self:custom.a{n + 1}}}', '${{self:custom.a{n + 1}}}']" for n in range(40)]
    texts = [f"t{n}: '${{self:custom.t{n + 1}}}${{self:custom.t{n + 1}}}'" for n in range(60)]
    custom = f"{{{', '.join([*steps, *texts])}, a40: x, t60: 'xxxxxxxxxx'}}"
    with working_at_most(seconds=4):
        found = variable("${self:custom.t0}", custom)
        stack = service(f"custom: {custom}\nfunctions: {{bot: {{handler: a.b, layers: '${{self:custom.a0}}'}}}}\n")
    assert "(--work)" in found or "too deep" in found
    assert "too deep" in dump(stack) or "(--work)" in dump(stack)


def bombs() -> Iterator[tuple[str, str]]:
    """Files of which each asks for far more work than it is long."""
    each = [f"${{self:custom.a{n}}}" for n in range(300)]
    quoted, joined = ", ".join(f"'{one}'" for one in each), "".join(each)
    lists = (f"a{n}: [{quoted}]" for n in range(300))
    texts = (f"a{n}: '{joined}'" for n in range(300))
    options = "".join(f"${{opt:p{n}, ''}}" for n in range(10_000))
    for name, custom in {
        "lists that hold each other": f"{{{', '.join(lists)}}}",
        "texts that hold each other": f"{{{', '.join(texts)}}}",
        "a file that holds itself": "{a0: '${self:}', a1: '${self:}', a2: '${self:custom}'}",
        "sources one after another": "{a0: '${" + "opt:a, " * 50_000 + "opt:a}'}",
        "variables in variables": "{a0: '" + "${self:a." * 5_000 + "}" * 5_000 + "'}",
        "defaults in defaults": "{a0: '" + "${self:a, " * 5_000 + "}" * 5_000 + "'}",
        "never closed": "{a0: '" + "${" * 50_000 + "'}",
        "brackets": "{a0: '${self:" + "(" * 50_000 + "}'}",
        "a long path": "{a0: '${self:" + "custom." * 20_000 + "}'}",
    }.items():
        yield name, f"custom: {custom}\nfunctions: {{bot: {{handler: a.b, layers: '${{self:custom.a0}}'}}}}\n"
    uses = ", ".join(f"V{n}: 'a${{self:custom.x}}'" for n in range(5_000))
    yield "very many options", f'custom: {{x: "{options}"}}\nfunctions: {{bot: {{environment: {{{uses}}}}}}}\n'


@pytest.mark.slow
@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in bombs()])
def test_a_bomb_is_bounded(text: str) -> None:
    with working_at_most(seconds=6):
        assert BOT in service(text).resources


@pytest.mark.slow
def test_what_the_provider_says_is_repeated_only_so_often() -> None:
    environment = ", ".join(f"V{n}: a" for n in range(20_000))
    functions = ", ".join(f"f{n}: {{handler: a.b}}" for n in range(20))
    head = f"service: shop\nprovider: {{name: aws, environment: {{{environment}}}}}\n"
    work = Work(10_000)
    stack = read(f"{head}functions: {{{functions}}}\n", "serverless.yml", Assumed(work=work))
    last = stack.resources["F19LambdaFunction"]
    assert last.opaque is not None
    assert last.opaque.why == work.why
    assert stack.resources["F0LambdaFunction"].opaque is None
