"""Who there is in an account, out of IAM's own list of users, groups, roles and policies, and what each may do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from threatmodel.evidence.policies.arns import arn_parts
from threatmodel.evidence.policies.grants import Grant, Pattern, allowing, statements
from threatmodel.evidence.policies.iam import glob
from threatmodel.reading.problems import Place
from threatmodel.reading.values import dataclass
from threatmodel.stacks.values import Node, Unknown, get, items, text

_DEPLOYERS = ("cloudformation.amazonaws.com", "codebuild.amazonaws.com", "codepipeline.amazonaws.com")
_DEPLOYERS_TOO = ("codedeploy.amazonaws.com",)
_STARTERS = (
    *("scheduler.amazonaws.com", "events.amazonaws.com", "pipes.amazonaws.com", "states.amazonaws.com"),
    *("apigateway.amazonaws.com", "cognito-idp.amazonaws.com", "appsync.amazonaws.com"),
)


@dataclass(frozen=True, slots=True)
class Holder:
    """A user or role: `kind` says which, `trust` who may be it, `grants` what is attached to it and to its groups."""

    kind: str
    path: str
    trust: tuple[Grant, ...]
    grants: tuple[Grant, ...]
    place: Place

    @property
    def of_aws(self) -> bool:
        """Return whether AWS made the role for a service."""
        return self.path.startswith("/aws-service-role/")

    def trusts(self, *services: str) -> bool:
        """Return whether its trust policy allows services only."""
        found = [one for grant in allowing(self.trust) for one in grant.principals]
        return bool(found) and all(one.kind == "Service" and one.pattern.text in services for one in found)

    @property
    def deploys(self) -> bool:
        """Whether it is a pipeline's: a web identity or a deployment service is the only one that it trusts."""
        found = [one for grant in allowing(self.trust) for one in grant.principals]
        if found and all(one.kind == "Federated" and ":oidc-provider/" in one.pattern.text for one in found):
            return True
        return self.trusts(*_DEPLOYERS, *_DEPLOYERS_TOO)

    @property
    def starts(self) -> bool:
        """Whether it is what a service starts functions with."""
        return self.trusts(*_STARTERS)

    def may(self, action: str, names: Sequence[str] = ()) -> bool:
        """Whether it is allowed an action, on a resource whose ARN ends in one of some names; a Deny for all counts."""
        if any(_denies(grant, action) for grant in self.grants):
            return False
        return any(
            grant.open is None and grant.covers(action) and _on(grant, names)
            for grant in self.grants
            if grant.effect == "Allow"
        )


def _denies(grant: Grant, action: str) -> bool:
    return (
        grant.effect == "Deny"
        and not grant.conditions
        and grant.covers(action) is True
        and any(one.text == "*" for one in grant.resources)
    )


def _on(grant: Grant, names: Sequence[str]) -> bool:
    if not names or grant.but_resources:
        return True
    return any(_names(one, name) for one in grant.resources for name in names)


def _names(one: Pattern, name: str) -> bool:
    """Whether a pattern covers what has a name: as the last part of its ARN, or behind a colon or slash there."""
    last = arn_parts(one.text)[-1]
    own = arn_parts(name)[-1].rsplit("/", 1)[-1]
    kinds = ("", "function:", "secret:", "parameter/", "parameter", "event-bus/", "stream/", "table/")
    return any(glob(last).fullmatch(f"{kind}{own}") is not None for kind in kinds)


def holders(node: Node) -> Sequence[Holder] | Unknown:
    """Return all principals in the answer of iam:GetAccountAuthorizationDetails, or why it cannot be read."""
    if isinstance(node, Unknown):
        return node
    documents = dict(_documents(node))
    groups = {text(get(one, "GroupName")) or "": _attached(one, "Group", documents) for one in _all(node, "Group")}
    found = []
    for kind in ("User", "Role"):
        for one in _all(node, kind):
            grants = list(_attached(one, kind, documents))
            for group in items(get(one, "GroupList")):
                grants += groups.get(text(group) or "", ())
            trust = statements(get(one, "AssumeRolePolicyDocument"))
            path = text(get(one, "Path")) or "/"
            found.append(Holder(kind.lower(), path, trust, tuple(grants), one.place))
    return found


def _all(node: Node, kind: str) -> Iterable[Node]:
    return items(get(node, f"{kind}DetailList"))


def _documents(node: Node) -> Iterator[tuple[str, tuple[Grant, ...]]]:
    """AWS's answer has the document of every attached policy."""
    for policy in items(get(node, "Policies")):
        for version in items(get(policy, "PolicyVersionList")):
            current = get(version, "IsDefaultVersion")
            if current is not None and getattr(current, "value", None) is True:
                yield text(get(policy, "Arn")) or "", statements(get(version, "Document"))


def _attached(one: Node, kind: str, documents: Mapping[str, tuple[Grant, ...]]) -> tuple[Grant, ...]:
    found: list[Grant] = []
    for inline in items(get(one, f"{kind}PolicyList")):
        found += statements(get(inline, "PolicyDocument"))
    for attached in items(get(one, "AttachedManagedPolicies")):
        found += documents.get(text(get(attached, "PolicyArn")) or "", ())
    return tuple(found)


def others_of_account(node: Node, actions: Iterable[str], name: str) -> bool:
    """Return whether a principal that is not a function has one of some actions on a named resource."""
    found = holders(node)
    if isinstance(found, Unknown):
        return False
    return any(
        holder.may(action, (name,))
        for holder in found
        if not holder.of_aws and not holder.trusts("lambda.amazonaws.com")
        for action in actions
    )
