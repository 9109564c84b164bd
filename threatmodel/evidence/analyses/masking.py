"""Whether CloudWatch Logs masks secrets and personal data in a function's log: data protection policies.

A policy of the log group and one of the account add up, so that what one of them lacks another file may have.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html
"""

from __future__ import annotations

from collections.abc import Sequence

from threatmodel.evidence.analyses.properties import document, each, read, worded
from threatmodel.evidence.analyses.registry import analysis
from threatmodel.evidence.answers import Answer, Gathered, Outcome, Unanswered, judged, open_at, some, yes
from threatmodel.stacks.stack import Resource, Stack
from threatmodel.stacks.values import Node, Unknown

_CREDENTIALS = frozenset({"AwsSecretKey", "OpenSshPrivateKey", "PgpPrivateKey", "PkcsPrivateKey", "PuttyPrivateKey"})
"""AWS's own identifiers of secrets; the others are of personal data."""
_OF_DATA = "DATA_PROTECTION_POLICY"


@analysis("log-policy", "account-policy")
def log_masked(parts: Sequence[Gathered], resource: Resource, _stack: Stack) -> Outcome:
    """Whether a policy masks identifiers of secrets and of personal data; that nothing does, no file shows."""
    return some(judged(parts, resource, _masks))


def _masks(part: Gathered) -> Answer | None:
    policy = part.node
    if part.part == "account-policy":
        kind = worded(read(part.resource.properties, "PolicyType"))
        if kind is not None and kind != _OF_DATA:
            return None
        chosen = read(part.resource.properties, "SelectionCriteria")
        if kind is None or chosen is not None or part.resource.written:  # a plan may be of another Region
            return Unanswered("it is unknown whether the account's policy covers this log group", part.resource.place)
        policy = read(part.resource.properties, "PolicyDocument") or part.node
    stated = document(policy)
    if stated is None or isinstance(stated, Unknown):
        return open_at(policy)
    masked = {name for one in each(read(stated, "Statement")) for name in _masked(one)}
    own = {worded(read(one, "Name")) for one in each(read(stated, "Configuration", "CustomDataIdentifier"))}
    if masked & (_CREDENTIALS | own) and masked - _CREDENTIALS - own:
        return yes(policy.place)
    lacks = "masks nothing" if not masked else "masks no secrets or no personal data"
    return Unanswered(f"the data protection policy of the log {lacks}", policy.place)


def _masked(statement: Node) -> set[str]:
    """Return the names of the identifiers that a statement masks."""
    if read(statement, "Operation", "Deidentify", "MaskConfig") is None:
        return set()
    named = (worded(one) for one in each(read(statement, "DataIdentifier|DataIdentifiers")))
    return {name.rpartition("/")[2] for name in named if name is not None}
