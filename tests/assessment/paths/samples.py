"""Systems with known weaknesses: a well-run one with some facts changed, and the paths that a reviewer lists first.

A reviewer asks: is it possible today, how bad is it in the end, and how hard is the hardest step?
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support import HOME
from threatmodel.assessment.assess import assess
from threatmodel.assessment.assessed import Assessment
from threatmodel.assessment.paths.values import Path as Chain
from threatmodel.graph.building import build
from threatmodel.library.load import load_library
from threatmodel.model.load import load_model
from threatmodel.reading.files import Files

TODAY = datetime.date(2026, 11, 25)
LIBRARY = load_library(HOME / "threatlib")
_WELL_RUN = (HOME / "tests" / "models" / "well-run.yaml").read_text(encoding="utf-8")

Changes = Mapping[str, Mapping[str, Any]]
"""What differs from the well-run system: by section and element (or plane), the facts and lists."""


class Listed(NamedTuple):
    """A path as a reviewer lists it: who starts, what is reached, and through which threats."""

    start: str
    goal: str
    threats: tuple[str, ...]


class Sample(NamedTuple):
    """A system, and its three worst paths in order."""

    changes: Changes
    worst: tuple[Listed, ...]


INJECTION = ("slack-request-forgery@order-bot", "event-injection@order-bot")
SAMPLES: Mapping[str, Sample] = {
    # No signature check, and the command's text reaches a shell in a function whose role may pass roles.
    "forged-commands": Sample(
        {
            "functions": {
                "order-bot": {
                    "verifies_signature": False,
                    "input_reaches_interpreter": True,
                    "validates_input": False,
                    "role_can_escalate": True,
                    "role_permissions_boundary": False,
                }
            },
            "apis": {"slack-api": {"mutual_tls": False}},
        },
        (
            # one step without a control, for anyone; what the function does is not limited by its role
            Listed("outside", "act order-bot", INJECTION[:1]),
            # the whole account, for anyone, in three steps without a control
            Listed("outside", "account", (*INJECTION, "function-role-escalates@order-bot")),
            # the same code, with all that the role reaches beyond the function's own work
            Listed("outside", "rights order-bot", (*INJECTION, "over-privileged-role@order-bot")),
        ),
    ),
    # A second, public route without authentication reads orders by id, and the table itself is public.
    "public-data": Sample(
        {
            "stores": {"orders": {"open_to_public": True}},
            "apis": {
                "slack-api": {
                    "caller_authentication": "none",
                    "callers_restricted": False,
                    "self_sign_up": False,
                    "request_validation": False,
                }
            },
            "functions": {
                "order-bot": {
                    "triggers": [
                        {"slack": "slash-command", "path": "/slack/order"},
                        {"http": "GET", "path": "/orders/{id}"},
                    ],
                    "reads": ["orders"],
                    "checks_object_owner": False,
                    "authorizes_caller": False,
                }
            },
        },
        (
            # confidential data in one step, without any request to the system
            Listed("outside", "read orders", ("public-store-read@orders",)),
            # the same data through the route: no sign-in, and any order by its id
            Listed(
                "outside",
                "read orders",
                ("unauthenticated-route@order-bot", "broken-object-level-authorization@order-bot"),
            ),
            # commands without authorization: less than all data, and for members of the workspace only
            Listed("member", "act order-bot", ("unauthorized-slack-command@order-bot",)),
        ),
    ),
    # Pull requests run with static deploy keys and nobody has to review; the worker fetches any URL that it is given.
    "open-pipeline": Sample(
        {
            "pipeline": {
                "": {
                    "auth": "static-keys",
                    "runs_untrusted_changes": True,
                    "branch_protected": False,
                    "required_reviews": 0,
                    "production_approval": False,
                }
            },
            "functions": {"order-worker": {"outbound_hosts_fixed": False, "egress": "open", "in_vpc": False}},
        },
        (
            # one pull request decides what is deployed, and with it everything
            Listed("outside", "deploy", ("poisoned-pipeline@pipeline",)),
            # the same end by a published action, whose code is in the recorded build too: no comparison shows it
            Listed("supplier", "deploy", ("compromised-build-action@pipeline",)),
            # a member's link gives the worker's role, and with it the table
            Listed("member", "read orders", ("server-side-request-forgery@order-worker",)),
        ),
    ),
}


def changed(changes: Changes) -> str:
    """The well-run system with these facts and lists."""
    model = yaml.safe_load(_WELL_RUN.replace(" on: ", ' "on": '))  # YAML 1.1 has yes/no for it
    for section, elements in changes.items():
        for element, facts in elements.items():
            (model[section][element] if element else model[section]).update(facts)
    return yaml.safe_dump(model, sort_keys=False)


def assessed(folder: Path, changes: Changes) -> Assessment:
    """The assessment of the well-run system with changes."""
    return assessed_text(folder, changed(changes))


def assessed_text(folder: Path, text: str) -> Assessment:
    """The assessment of a model's text."""
    path = folder / "model.yaml"
    path.write_text(text, encoding="utf-8")
    return assess(build(load_model(Files(), path), None, TODAY), LIBRARY, TODAY)


def listed(path: Chain) -> Listed:
    """A path as a reviewer lists it."""
    goal = " ".join(part for part in path.goal if part)
    return Listed(path.start.hold, goal, tuple(step.finding for step in path.steps if step.finding))
