"""Rights of a function's role beyond its work: what they allow, and on what.

A right counts as beyond where it is on nothing that the function is seen to use, or lets it do with that what is no
use of it (delete a table, change a queue).  What Lambda itself needs, what it polls for a function and where it hands
over failures are the platform's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from threatmodel.evidence.policies.arns import Targets, resources_of
from threatmodel.evidence.policies.escalations import UNKNOWN_LEVEL
from threatmodel.evidence.policies.grants import Grant
from threatmodel.evidence.policies.iam import IamAction, by_service, expanded
from threatmodel.evidence.policies.work import (
    EVERY,
    NETWORK,
    PLATFORM,
    POLLED,
    changes,
    is_of,
    is_use,
    severity,
)
from threatmodel.reading.problems import Place
from threatmodel.reading.tokens import redacted


class Beyond(NamedTuple):
    """Actions of one statement on resources (as text) of which nothing shows that the function uses them.

    `changes` is true where one of them destroys or changes how something is set up, which is no function's daily work;
    `severity` how bad the worst is (0 the worst); `source` the policy of AWS or SAM that has them.
    """

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    place: Place
    changes: bool
    severity: int
    source: str = ""

    @property
    def described(self) -> str:
        """The right in words."""
        by = f", by {self.source}" if self.source else ""
        named = [*dict.fromkeys(_OWN.sub(r"\1", one) for one in self.resources)]
        what = f"{_first(self.actions, 4)} on {_first(named, 1) or 'resources that are not named'}"
        return f"{redacted(what)}{by}"


_OWN = re.compile(r"\A\$\{(\w+)\.Arn\}(?:/\*)?\Z")
"""The ARN of a resource of the file, or of all that is in it, which its name says."""


def _first(names: Sequence[str], count: int) -> str:
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


def beyond(grants: Sequence[Grant], targets: Targets, used: frozenset[str], *, networked: bool) -> Iterator[Beyond]:
    """What a role's statements allow beyond the resources (by their names) that its function uses.

    `networked` is whether the function may be in a VPC.
    """
    for grant in grants:
        if grant.effect == "Deny" or grant.open is not None or grant.but_actions:
            continue
        left = [
            one
            for service, actions in _by_service(grant, networked=networked).items()
            for one in _left(grant, targets, used, service, actions)
        ]
        if left:
            names = tuple(one.name for one in sorted(left, key=severity))
            resources = tuple(one.shown for one in grant.resources)
            worst = min(map(severity, left))
            yield Beyond(names, resources, grant.place, any(map(changes, left)), worst, grant.source)


def _left(
    grant: Grant, targets: Targets, used: frozenset[str], service: str, actions: Sequence[IamAction]
) -> Iterator[IamAction]:
    """What a statement allows of a service beyond what works with the resources that are used."""
    on_used = [match.resource in used for match in resources_of(grant, targets, service)]
    known = bool(on_used) and all(on_used) and len(on_used) >= len({one.text for one in grant.resources})
    return (one for one in actions if not (known and is_use(one)))


def _by_service(grant: Grant, *, networked: bool) -> Mapping[str, Sequence[IamAction]]:
    named = (action for one in grant.actions if one.open is None for action in _named(one.text, one.shown))
    return by_service(action for action in named if not (networked and is_of(action, NETWORK)))


@lru_cache(maxsize=4096)
def _named(text: str, shown: str) -> tuple[IamAction, ...]:
    """The actions of a pattern that are no work of the platform's; a whole service as one, what is hidden as shown."""
    if not text.partition(":")[2].strip("*"):
        return (IamAction(shown, EVERY, limitable=True),)
    known = expanded(text) or expanded(text.removesuffix("batch"))  # SQS has no separate permissions for batches
    if not known:
        return (IamAction(shown, UNKNOWN_LEVEL, limitable=False),)
    return tuple(one for one in known if not is_of(one, PLATFORM, POLLED))
