"""Models of any size: N functions, each with an api, a function and a table in a boundary of its own.

Run: .venv/bin/python benchmarks/generate.py 100 > model.yaml
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

_HEAD = """\
name: Slack commands at scale
owner: payments-platform
data:
  order:
    classification: confidential
    personal: true
  receipt:
    classification: internal
defaults:
  function:
    privileged_commands: false
    input_reaches_interpreter: false
    fetches_given_urls: false
    invocable_by_anyone: false
account:
  guardduty: true
  guardduty_lambda: true
  cloudtrail: true
  long_lived_access_keys: true
  console_users: true
pipeline:
  auth: oidc
  required_reviews: 1
workspace:
  sso_enforced: true
organisation:
  mfa_factor: totp
"""

_BOUNDARY = """\
  fn-{n}:
    inside: account
"""

_API = """\
  api-{n}:
    boundary: fn-{n}
    kind: {api}
    throttle_rate: 50
    custom_domain: false
    access_logs: {odd}
    request_validation: true
"""

_STORE = """\
  table-{n}:
    boundary: fn-{n}
    kind: dynamodb
    holds: [{data}]
    encryption_key: aws-managed
    recovery: {third}
    open_to_public: false
"""

_FUNCTION = """\
  bot-{n}:
    boundary: fn-{n}
    description: Takes a slash command and keeps record {n}.
    triggers:
      - {{slack: slash-command, api: api-{n}, path: /slack/bot-{n}}}
    reads: [table-{n}]
    writes: [table-{n}]
    runtime: python3.13
    package_format: zip
    code_signing: {signing}
    reserved_concurrency: 20
    timeout_seconds: 15
    role_wildcard_action: {third}
    environment_holds_secret: {odd}
    in_vpc: false
    verifies_signature: {even}
    validates_input: {third}
"""


def model(size: int) -> str:
    """The text of a model of `size` functions.  Neighbours differ, so that not everything has one answer."""
    return _HEAD + "".join(_sections(size))


def _sections(size: int) -> Iterator[str]:
    for section, entry in (
        ("boundaries", _BOUNDARY),
        ("apis", _API),
        ("stores", _STORE),
        ("functions", _FUNCTION),
    ):
        yield f"{section}:\n"
        for n in range(size):
            yield entry.format(n=n, **_varied(n))


def _varied(n: int) -> dict[str, str]:
    """What differs from one function to the next."""
    return {
        "odd": _flag(n % 2 == 1),
        "even": _flag(n % 2 == 0),
        "third": _flag(n % 3 == 0),
        "api": "rest" if n % 4 else "http",
        "data": "order" if n % 5 else "receipt",
        "signing": "enforce" if n % 7 == 0 else "none",
    }


def _flag(value: bool) -> str:  # noqa: FBT001 - the word for it is all there is
    return "true" if value else "false"


if __name__ == "__main__":
    sys.stdout.write(model(int(sys.argv[1]) if len(sys.argv) > 1 else 10))
