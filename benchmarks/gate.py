"""How long the gate takes, against ``import pytm``; exit code 1 where a target is missed.

    python benchmarks/gate.py              # ratios, and a thousand models in one run
    python benchmarks/gate.py --models 0   # ratios only
    python benchmarks/gate.py --large      # also 10,000 functions, which takes minutes and 1 GB

Processor time of whole processes as ratios, since machines differ.  The processes take turns, and the least of several
runs counts: other work on the machine adds to a run.  All start as installed packages do: from byte code, which the
first run of each writes, and from the compiled tables of the YAML, which this script writes first, as `dev.py setup`
and the build of the wheel do.  Except for "again" the cache is off, as in a pipeline.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generate import model
from benchmarks.generate import template as choosing

HOME = Path(__file__).resolve().parent.parent
TM = str(HOME / "tm.py")
RUNS = 5
TEN = ["reads: [orders]", "writes: [orders]", "secrets: [key]", "calls: [slack]", "triggers: [{queue: work}]"]
MANY, LARGE = 1_000, 10_000
MOST_MEMORY = 1_000
"""Megabytes that a report of 10,000 functions may take."""


class Run(NamedTuple):
    """A command, its environment, how many times the processor time of ``import pytm`` it may take, and megabytes."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str]
    most: float
    megabytes: float = float("inf")


class Used(NamedTuple):
    """What a process used: seconds of processor time, and megabytes."""

    seconds: float
    megabytes: float


def main() -> int:
    """Print the figures; return 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--models", type=int, default=1000, help="how many models of ten functions")
    parser.add_argument("--runs", type=int, default=RUNS, help="of which the least counts (default: %(default)s)")
    parser.add_argument("--large", action="store_true", help="also the report of 10,000 functions, once")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "byte-code")
        subprocess.run([sys.executable, "-m", "threatmodel.compiling"], cwd=HOME, check=True)
        held = ratios(small(folder), args.runs)
        if args.large:
            held = large(folder) and held
        for forms in ((), ("sarif", "junit", "markdown")) if args.models else ():
            many(folder, args.models, forms)
    return 0 if held else 1


def small(folder: Path) -> list[Run]:
    """The commands that have a target: on the default model, a template of three functions, and 1,000 functions."""
    off, again = {"TM_CACHE": "off"}, {"TM_CACHE": str(folder)}
    day = ["--today", "2026-11-25"]
    template = folder / "three" / "threatmodel.yaml"
    template.parent.mkdir()
    template.write_text("name: Three\nevidence: [{template: template.yaml, functions: all}]\n", encoding="utf-8")
    (template.parent / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    choices = folder / "choices" / "threatmodel.yaml"
    choices.parent.mkdir()
    choices.write_text("name: Choices\nevidence: [{template: template.yaml, functions: all}]\n", encoding="utf-8")
    (choices.parent / "template.yaml").write_text(choosing(20, 20, 50), encoding="utf-8")
    thousand = folder / "thousand.yaml"
    thousand.write_text(model(MANY), encoding="utf-8")
    return [
        Run("check of the default model", [TM, "check", *day], off, 1.6),
        Run("check of the default model, again", [TM, "check", *day], again, 1.3),
        Run("--dfd of the default model", [TM, "--dfd", *day], off, 1.0),
        Run("--dfd of the default model, again", [TM, "--dfd", *day], again, 1.0),
        Run("check of a template of three functions", [TM, "check", str(template), *day], off, 2.2),
        Run("check of 50 functions, 20 conditions", [TM, "check", str(choices), *day], off, 20.0, 200),
        *(
            Run(f"report of {MANY:,} functions, {form}", [TM, "-m", str(thousand), "--report", form, *day], off, 6.0)
            for form in ("md", "html")
        ),
        Run(f"paths of {MANY:,} functions", [TM, "-m", str(thousand), "paths", *day], off, 12.0),
        Run(f"reach in {MANY:,} functions", [TM, "-m", str(thousand), "reach", "bot-7", *day], off, 9.0),
    ]


TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, Handler: app.handler, Timeout: 10, CodeUri: src/}}
Resources:
  Acknowledge:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Slash: {Type: Api, Properties: {Path: /slack/commands, Method: post}}}
      Environment: {Variables: {QUEUE_URL: !Ref Work, SECRET: !Ref SigningSecret}}
      Policies:
        - SQSSendMessagePolicy: {QueueName: !GetAtt Work.QueueName}
        - AWSSecretsManagerGetSecretValuePolicy: {SecretArn: !Ref SigningSecret}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Jobs: {Type: SQS, Properties: {Queue: !GetAtt Work.Arn, BatchSize: 5}}}
      Policies: [DynamoDBCrudPolicy: {TableName: !Ref Orders}]
  Nightly:
    Type: AWS::Serverless::Function
    Properties:
      Events: {Cron: {Type: Schedule, Properties: {Schedule: rate(1 day)}}}
      Policies: [DynamoDBReadPolicy: {TableName: !Ref Orders}]
  Work: {Type: AWS::SQS::Queue}
  SigningSecret: {Type: AWS::SecretsManager::Secret}
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""


def ratios(commands: Sequence[Run], runs: int) -> bool:
    """Print each command's processor time against that of ``import pytm``; return whether all targets are met."""
    every = [Run("import pytm", ["-c", "import pytm"], {}, 1.0), *commands]
    least = [Used(float("inf"), float("inf"))] * len(every)
    for _ in range(runs + 1):  # the first writes byte code and the cache
        least = [Used(*map(min, before, used(one))) for before, one in zip(least, every, strict=True)]
    print(f"import pytm: {least[0].seconds:.2f} s of processor time = 1.0")
    met = []
    for one, found in zip(commands, least[1:], strict=True):
        ratio = found.seconds / least[0].seconds
        met.append(ratio <= one.most and found.megabytes <= one.megabytes)
        size = "" if one.megabytes == float("inf") else f"   {found.megabytes:.0f} MB of {one.megabytes:g}"
        print(f"{one.name:<42} {ratio:6.2f}   at most {one.most:g}{size}{'' if met[-1] else '   MISSED'}")
    return all(met)


def large(folder: Path) -> bool:
    """Print what a report of 10,000 functions takes, from the file to Markdown; return whether its target is met."""
    path = folder / "large.yaml"
    path.write_text(model(LARGE), encoding="utf-8")
    base = min(used(Run("", ["-c", "import pytm"], {}, 1.0)).seconds for _ in range(RUNS))
    found = used(Run("", [TM, "-m", str(path), "--report", "md"], {"TM_CACHE": "off"}, 200.0))
    ratio, most = found.seconds / base, 200
    held = ratio <= most and found.megabytes <= MOST_MEMORY
    shown = f"{ratio:.0f}   {found.megabytes:.0f} MB   at most {most} and {MOST_MEMORY} MB{'' if held else '   MISSED'}"
    print(f"report of {LARGE:,} functions {shown}")
    return held


def used(one: Run) -> Used:
    """Run a command and return what it used: the time of the processes that it started too, and its own memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *one.arguments]
    environment = {**os.environ, **one.environment}
    process = subprocess.Popen(command, cwd=HOME, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, own = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} ended with exit code {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Used(seconds, own.ru_maxrss / 1024)


def many(folder: Path, count: int, forms: Sequence[str]) -> None:
    """Print what a check of many models of ten functions takes, as text or in forms."""
    models = [write_model(folder / f"m{n:04}.yaml", n) for n in range(count)]
    outputs = [part for form in forms for part in ("--format", form, "-o", str(folder / f"out.{form}"))]
    began = time.monotonic()
    found = used(Run("", [TM, "check", *models, *outputs, "--today", "2026-11-25"], {}, 0.0))
    took = time.monotonic() - began
    spent = f"{found.seconds:.1f} s of processor time, {took:.1f} s, {found.megabytes:.0f} MB"
    print(f"{count} models of 10 functions, {', '.join(forms) or 'text'}   {spent}")


def write_model(path: Path, number: int) -> str:
    """Write a model of ten functions; return its path."""
    functions = "".join(
        f"  bot-{at}: {{{', '.join(TEN[: at % 5 + 1])}, timeout_seconds: {3 + (number + at) % 30}}}\n"
        for at in range(10)
    )
    text = (
        f"name: System {number}\nstores: {{orders: {{}}}}\nqueues: {{work: {{}}}}\nsecrets: {{key: {{}}}}\nfunctions:\n"
    )
    path.write_text(text + functions, encoding="utf-8")
    return str(path)


if __name__ == "__main__":
    sys.exit(main())
