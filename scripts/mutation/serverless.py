"""Weakenings of a serverless.yml: its own keys, its variables, its plugins and what overrides what it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from scripts.mutation.bases import Base, before
from scripts.mutation.judging import Mutant
from scripts.mutation.trees import AGAIN, GONE, Path, at, changed

_ROWS: tuple[tuple[str, tuple[str, ...], Any, str], ...] = (
    ("functions.bot.timeout", ("bounded-timeout@bot",), 900, "without it the timeout is six seconds"),
    ("functions.list.timeout", ("bounded-timeout@list",), 900, "without it the timeout is six seconds"),
    ("functions.bot.reservedConcurrency", ("reserved-concurrency@bot",), 0, ""),
    (
        "provider.runtime",
        ("supported-runtime@bot", "supported-runtime@list", "supported-runtime@worker"),
        "python3.8",
        "",
    ),
    ("provider.logRetentionInDays", ("log-retention@bot", "log-retention@list", "log-retention@worker"), 400, ""),
    ("provider.logs.httpApi", ("api-access-logs@http",), False, ""),
    ("functions.list.events.0.http.authorizer", ("gateway-authentication@rest",), "NONE", ""),
    (
        "provider.environment",
        ("no-secret-in-environment@bot",),
        {"TOKEN": "xoxb-123456789012-AbCdEfGhIjKl"},
        "no variables contain no secret",
    ),
    (
        "functions.bot.environment",
        ("no-secret-in-environment@bot",),
        {"SALT": "8f14e45fceea167a5a36dedd4bea2543"},
        "no variables contain no secret",
    ),
)
"""A path, the controls that rest on it, a worse value, and why leaving it out is as good."""
_WHOLE: tuple[tuple[str, str, Path, Any, tuple[str, ...]], ...] = (
    (
        "unread",
        "plugin-that-nobody-knows",
        ("plugins",),
        ["./plugins/change.js"],
        (
            "bounded-timeout@bot",
            "reserved-concurrency@bot",
            "no-secret-in-environment@bot",
            "public-invocation-blocked@bot",
            "store-public-access-blocked@orders",
        ),
    ),
    ("unread", "dotenv", ("useDotenv",), True, ()),
    ("unread", "dotenv-plugin", ("plugins",), ["serverless-dotenv-plugin"], ("no-secret-in-environment@bot",)),
    (
        "unread",
        "plugins-by-file",
        ("plugins",),
        "${file(./plugins.yml)}",
        ("bounded-timeout@bot", "public-invocation-blocked@bot"),
    ),
    (
        "unread",
        "resources-by-file",
        ("resources",),
        "${file(./resources.yml)}",
        ("store-recovery@orders", "deletion-protection@orders"),
    ),
    (
        "shadowed",
        "extension-of-the-timeout",
        ("resources", "extensions"),
        {"BotLambdaFunction": {"Properties": {"Timeout": 900}}},
        ("bounded-timeout@bot",),
    ),
    (
        "shadowed",
        "extension-of-the-concurrency",
        ("resources", "extensions"),
        {"BotLambdaFunction": {"Properties": {"ReservedConcurrentExecutions": 0}}},
        ("reserved-concurrency@bot",),
    ),
    (
        "shadowed",
        "override-of-the-function",
        ("resources", "Resources", "BotLambdaFunction"),
        {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": 900, "Runtime": "python3.8"}},
        ("bounded-timeout@bot", "supported-runtime@bot"),
    ),
    (
        "shadowed",
        "override-of-the-logs",
        ("resources", "Resources", "BotLogGroup"),
        {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": "/aws/lambda/shop-bot", "RetentionInDays": 3653},
        },
        ("log-retention@bot",),
    ),
    (
        "wider-rights",
        "role-with-everything",
        ("provider", "iam", "role", "statements"),
        [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        ("no-privilege-escalation@bot",),
    ),
    (
        "wider-rights",
        "managed-policy",
        ("provider", "iam", "role", "managedPolicies"),
        ["arn:aws:iam::aws:policy/AdministratorAccess"],
        ("no-privilege-escalation@bot",),
    ),
    ("second-door", "a-url", ("functions", "bot", "url"), True, ("public-invocation-blocked@bot",)),
    (
        "second-door",
        "a-url-without-authorizer",
        ("functions", "worker", "url"),
        {"cors": True},
        ("public-invocation-blocked@worker",),
    ),
    (
        "second-door",
        "an-open-route",
        ("functions", "bot", "events", 0),
        {"http": "POST /slack"},
        ("gateway-authentication@rest",),
    ),
    (
        "second-door",
        "permission",
        ("resources", "Resources", "Added"),
        {
            "Type": "AWS::Lambda::Permission",
            "Properties": {"Action": "lambda:InvokeFunction", "FunctionName": "shop-bot", "Principal": "*"},
        },
        ("public-invocation-blocked@bot",),
    ),
    (
        "second-door",
        "permission-by-reference",
        ("resources", "Resources", "Added"),
        {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "WorkerLambdaFunction"},
                "Principal": "*",
            },
        },
        ("public-invocation-blocked@worker",),
    ),
    (
        "wider-principal",
        "source-of-anybody",
        ("resources", "Resources", "Added"),
        {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "WorkerLambdaFunction"},
                "Principal": "s3.amazonaws.com",
            },
        },
        ("invoke-source-pinned@worker",),
    ),
    (
        "second-door",
        "function-with-a-foreign-role",
        ("functions", "bot", "role"),
        "arn:aws:iam::999999999999:role/admin",
        ("role-trust-restricted@bot",),
    ),
    ("word", "role-by-variable", ("functions", "bot", "role"), "${env:ROLE}", ("role-trust-restricted@bot",)),
)


class Maker:
    """Makes the mutants of one serverless.yml; `excluded` counts what would weaken nothing, by reason."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self._mutant = base.mutant
        self.excluded: Counter[str] = Counter()

    def mutants(self) -> Iterator[Mutant]:
        """All of them."""
        states = before(self.base.name).states
        for where, controls, worse, left_out in _ROWS:
            weakens = tuple(name for name in controls if states.get(name) == "proven")
            if not weakens:
                self.excluded["no proof depends on it"] += 1
                continue
            path: Path = tuple(int(step) if step.isdigit() else step for step in where.split("."))
            yield from self._forms(where, path, worse, left_out, weakens)
        for weakening, name, whole, value, controls in _WHOLE:
            weakens = tuple(one for one in controls if states.get(one) == "proven")
            if weakens:
                yield self._mutant(weakening, "serverless.yml", name, changed(self.base.tree, whole, value), weakens)

    def _forms(self, where: str, path: Path, worse: Any, left_out: str, weakens: tuple[str, ...]) -> Iterator[Mutant]:
        good = at(self.base.tree, path)
        tree = self.base.tree
        kind = "bound" if isinstance(worse, int) and not isinstance(worse, bool) else "flip"
        yield self._mutant(kind, where, "value", changed(tree, path, worse), weakens)
        again = (*path[:-1], f"{path[-1]}{AGAIN}")
        yield self._mutant("shadowed", where, "later-key", changed(tree, again, worse), weakens)
        if left_out:
            self.excluded[left_out] += 1
        elif good is not GONE:
            yield self._mutant("remove", where, "removed", changed(tree, path, GONE), weakens)
        shown = good if isinstance(good, str | int) and not isinstance(good, bool) else "x"
        for name, weakening, value in (
            ("option", "word", f"${{opt:x, {shown!r}}}"),
            ("option-without-default", "word", "${opt:x}"),
            ("environment", "word", f"${{env:X, {shown!r}}}"),
            ("parameter", "word", f"${{param:x, {shown!r}}}"),
            ("file", "unread", "${file(./settings.yml):x}"),
            ("code", "unread", "${file(./settings.js):x}"),
            ("ssm", "unread", "${ssm:/shop/x}"),
            ("stack-output", "unread", "${cf:other.X}"),
            ("nothing-known", "unread", "${custom-resolver:x}"),
        ):
            yield self._mutant(weakening, where, f"by-{name}", changed(tree, path, value), weakens)
        staged = changed(tree, ("custom",), {"by": {"live": good if good is not GONE else {}, "dev": worse}})
        by_option = changed(staged, path, "${self:custom.by.${opt:which, 'live'}}")
        yield self._mutant("condition-open", where, "by-stage", by_option, weakens)
