"""Values for a handler's variables, made up by their names: such that a handler loads and takes a genuine request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

from threatmodel.probe.slack import PUBLISHED

_SENT = {name: values[0] for name, values in parse_qs(PUBLISHED.body).items()}
_ACCOUNT = "eu-west-1:111122223333"


class MadeUp(NamedTuple):
    """A value, and whether the real one is a secret."""

    value: str
    secret: bool = False


_BY_NAME: tuple[tuple[str, MadeUp], ...] = (
    (r"(?:SECRET|TOKEN)\w*ARN|ARN\w*SECRET", MadeUp(f"arn:aws:secretsmanager:{_ACCOUNT}:secret:made-up")),
    (r"(?:SECRET|TOKEN|PARAMETER|PARAM|SSM)\w*(?:NAME|ID|PATH)$", MadeUp("/made/up")),
    (r"(?:STATE_?MACHINE|STEP)\w*ARN", MadeUp(f"arn:aws:states:{_ACCOUNT}:stateMachine:made-up")),
    (r"ARN$|TOPIC", MadeUp(f"arn:aws:sns:{_ACCOUNT}:made-up")),
    (r"VERIF\w*TOKEN", MadeUp(_SENT["token"], secret=True)),
    (r"APP_TOKEN", MadeUp("xapp-made-up", secret=True)),
    (r"SLACK\w*TOKEN|(?:BOT|USER|OAUTH|ACCESS)_TOKEN", MadeUp("xoxb-made-up", secret=True)),
    (r"QUEUE|SQS", MadeUp("https://sqs.eu-west-1.amazonaws.com/111122223333/made-up")),
    (r"WEBHOOK", MadeUp("https://hooks.slack.com/services/T1DC2JH3J/B1DC2JH3J/made-up", secret=True)),
    (
        r"PASS(?:WORD|WD|PHRASE)?$|SECRET|TOKEN|(?:API|PRIVATE|SIGNING|ACCESS)_?KEY|CREDENTIAL|DSN|DATABASE_URL",
        MadeUp("made-up-secret", secret=True),
    ),
    (r"URL|URI|ENDPOINT", MadeUp("https://example.com/made-up")),
    (r"TABLE|DYNAMO", MadeUp("made-up-table")),
    (r"BUCKET", MadeUp("made-up-bucket")),
    (r"COMMAND", MadeUp(_SENT["command"])),
    (r"ALLOWED_IDS|ALLOW_?LIST|ALLOWED$", MadeUp(f"{_SENT['team_id']},{_SENT['user_id']}")),
    (r"BOT_?USER", MadeUp("U0PROBEBOT")),
    (r"BOT_?ID$", MadeUp("B0PROBE99")),
    (r"TEAM|WORKSPACE", MadeUp(_SENT["team_id"])),
    (r"USER|ADMIN|MEMBER|OWNER|APPROVER", MadeUp(_SENT["user_id"])),
    (r"CHANNEL", MadeUp(_SENT["channel_id"])),
    (r"REGION", MadeUp("eu-west-1")),
    (r"LEVEL", MadeUp("INFO")),
    (r"DEBUG|DRY_?RUN|ENABLE|DISABLE", MadeUp("false")),
    (r"TIMEOUT|SECONDS|MINUTES|DAYS|TTL|LIMIT|COUNT|PORT|MAX|MIN|SIZE|TOLERANCE", MadeUp("60")),
)
"""The first whose pattern a name holds."""


_SIGNING = (
    r"SLACK\w*SIGNING_?(?:SECRET|KEY)",
    r"SIGNING_?(?:SECRET|KEY)",
    r"SLACK\w*SIGN\w*(?:SECRET|KEY)",
    r"^SLACK_?(?:APP_?|API_?)?(?:SECRET|KEY)",
)
"""What the signing secret's variable is called, the surest first."""
_IN_BASE64 = r"(?:_?(?:B(?:ASE)?_?64|ENCODED))?$"
"""How such a name may end where the secret is encoded."""


def made_up(name: str) -> MadeUp:
    """A value for a variable of that name."""
    return next((value for pattern, value in _BY_NAME if re.search(pattern, name.upper())), MadeUp("made-up"))


def signing_secret_of(names: Sequence[str]) -> str:
    """The variable that holds the signing secret itself, which the probe sets: '' where none is named for it."""
    return next((name for pattern in _SIGNING for name in names if re.search(pattern + _IN_BASE64, name.upper())), "")


def environment_file(names: Sequence[str], target: str, literals: Mapping[str, str]) -> str:
    """A file with a value for each variable but the signing secret: that of the template, where it spells one."""
    lines = [
        f"# Made up, for a probe of {target}: change what the handler rejects a genuine request for.",
        "# The caller and the command are those of Slack's published example, which is what the probe sends.",
    ]
    given: set[str] = set()
    for name in names:
        if name in literals:
            lines += ["# as in the template", f"{name}={literals[name]}"]
        elif name != signing_secret_of(names):
            value = made_up(name)
            made = value.value
            while made in given and "made-up" in made:  # one value for two would hide which of them is used
                made = f"{value.value}-{len(given) + 1}"
            given.add(made)
            lines += ["# a secret: keep it made up"] * value.secret + [f"{name}={made}"]
    return "\n".join(lines) + "\n"
