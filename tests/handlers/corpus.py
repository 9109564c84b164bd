"""The corpus: small handlers of Slack's requests, sound ones and ones with a single quiet mistake.

A class is a folder with `handlers.yaml`, which describes the class and its handlers, and a folder per handler:

    about: what the handlers of this class have in common
    handlers:
      NAME:                the folder, which holds app.py, index.mjs or index.js and its own modules
        fault: what is wrong, in one sentence (a sound handler has `style` instead: how it is written)
        handler: the function, where it has another name than `handler`
        request: how its genuine request differs from `/deploy web production` (see requests.py)
        env, secrets, tables: its variables, secrets (SSM parameters too) and DynamoDB items beside the shared ones
        open_to: the plain attacks (below) that already get through
        attack: the request that gets through, or a list of them for one process
        under: variables (`env`), secrets ("error: NAME": reading it fails) and Python's `optimize` while it is attacked
        effect: text that the effect of the attack contains, where the handler acts on genuine requests too
        probe: what a user would give the probe for it: variables (`env`), items of tables (`tables`), a genuine `body`
        concerns: replays or rotation: only sound handlers that `refuse` these are attacked so

An attack succeeds where its last request has an effect: a call to Slack, Lambda, SQS or another service that changes or
sends something. Reading secrets or items is none, nor is a conditional write, with which handlers find replays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.handlers.requests import LEGACY_TOKEN, SECRET

HERE = Path(__file__).parent
SOUND = "sound"
ENTRY_FILES = {"app.py": "python", "index.mjs": "javascript", "index.js": "javascript"}

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_LAMBDA_FUNCTION_NAME": "slack-handler",
    "AWS_REGION": "eu-central-1",
    "EVENT_BUS": "orders",
    "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/orders",
    "SECRET_ID": "slack/signing-secret",
    "SLACK_BOT_TOKEN": "xoxb-made-up",
    "SLACK_SIGNING_SECRET": SECRET,
    "SLACK_VERIFICATION_TOKEN": LEGACY_TOKEN,
    "STAGE": "prod",
    "STATE_MACHINE_ARN": "arn:aws:states:eu-central-1:123456789012:stateMachine:deploy",
    "TABLE_NAME": "requests",
    "TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:deployments",
    "WORKER_FUNCTION": "slack-worker",
}
SECRETS = {
    "slack/signing-secret": SECRET,
    "slack/app": json.dumps({"signing_secret": SECRET, "bot_token": "xoxb-made-up"}),
}

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A handler of the corpus; `attack` is empty where it is sound."""

    name: str
    folder: Path
    file: str
    fault: str = ""
    style: str = ""
    handler: str = "handler"
    request: Spec = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    open_to: tuple[str, ...] = ()
    attack: tuple[Spec, ...] = ()
    under: Spec = field(default_factory=dict)
    effect: str = ""
    probe: Spec = field(default_factory=dict)
    concerns: str = ""
    refuses: tuple[str, ...] = ()

    @property
    def group(self) -> str:
        """The class of its mistake, or `sound`."""
        return self.folder.parent.name

    @property
    def id(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def language(self) -> str:
        return ENTRY_FILES[self.file]

    @property
    def sound(self) -> bool:
        return self.group == SOUND


def load() -> list[Handler]:
    """Return all handlers, by class and name."""
    return [handler for table in tables() for handler in load_class(table)]


def abouts() -> dict[str, str]:
    """Return what the handlers of each class have in common, by class."""
    return {table.parent.name: yaml.safe_load(table.read_text(encoding="utf-8"))["about"] for table in tables()}


def tables() -> list[Path]:
    """Return the file of each class."""
    return sorted(HERE.glob("*/handlers.yaml"))


def load_class(table: Path) -> Iterator[Handler]:
    """Yield the handlers of one class; a misspelled key raises TypeError, a missing file ValueError."""
    for name, entry in sorted(yaml.safe_load(table.read_text(encoding="utf-8"))["handlers"].items()):
        folder = table.parent / name
        (file,) = (file for file in ENTRY_FILES if (folder / file).is_file())
        attack = entry.pop("attack", [])
        steps = tuple(attack if isinstance(attack, list) else [attack])
        yield Handler(name=name, folder=folder, file=file, attack=steps, **entry)
