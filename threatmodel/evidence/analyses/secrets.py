"""How an environment variable gets its value, and whether that value is itself a secret.

Values are looked at here and dropped: what is returned holds names, places and words, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from threatmodel.evidence.analyses.secret_texts import (
    Judgement,
    has_form,
    is_address,
    literal,
    looks_secret,
    meaning,
    worst,
)
from threatmodel.reading.problems import Place
from threatmodel.stacks.stack import Parameter, Stack
from threatmodel.stacks.values import Joined, Link, Node, Scalar, Unknown, shape_of

HOW: Mapping[str, str] = {
    "literal-secret": "a literal that looks like a secret",
    "literal": "a literal",
    "parameter": "the parameter",
    "hidden-parameter": "the hidden parameter",
    "ssm-dynamic": "a dynamic reference to an SSM parameter",
    "ssm-secure": "a dynamic reference to an SSM SecureString",
    "secretsmanager-dynamic": "a dynamic reference to a secret's value in Secrets Manager",
    "secret-value": "the secret itself, an attribute of",
    "reference": "the name or ARN of",
    "link": "an attribute of",
    "text": "a text that contains references",
    "unknown": "a value that the file does not show",
}
"""The ways to supply a value, each in words, which `Supply.by` may complete; hidden is NoEcho, or sensitive."""


class Supply(NamedTuple):
    """How a variable gets its value: `how` is a key of HOW, `by` the parameter or resource that supplies it.

    `secret` states whether the value is a secret, None if unknown; `why` then has the reason.
    """

    name: str
    how: str
    place: Place
    secret: bool | None
    by: str = ""
    why: str = ""

    @property
    def named(self) -> bool:
        """Whether its name is one that Lambda takes, and no secret itself."""
        return re.fullmatch(r"[A-Za-z]\w{0,127}", self.name) is not None and not has_form(self.name)

    def described(self) -> str:
        """The supply in words, for a note."""
        how, by = HOW[self.how], self.by
        if by.startswith(_OF_A_FILE):
            how, by = "a file that was not read gives it as", by.removeprefix(_OF_A_FILE)
        return " ".join(part for part in (f"{self.name if self.named else 'a variable'}:", how, by) if part)


def supplied(name: str, node: Node, stack: Stack) -> Supply:
    """Return how the variable of this name gets its value."""
    return Supply(name, "", node.place, None)._replace(**_decided(name, node, stack)._asdict())


def _decided(name: str, node: Node, stack: Stack) -> Judgement:
    raw = (
        str(node.value)[:_LONGEST] if isinstance(node, Scalar) and node.value is not None else shape_of(node)[:_LONGEST]
    )
    speaks = meaning(name)
    dynamic = _DYNAMIC.search(raw)
    if dynamic is not None:
        return _dynamic(speaks, dynamic)
    if looks_secret(raw, name):
        return Judgement("literal-secret", secret=True)
    given: tuple[str, ...] = getattr(node, "given", ())
    parameters = {**stack.parameters, **stack.hidden} if stack.hidden else stack.parameters
    known = [parameters[one] for one in given if one in parameters]
    if known:
        embedded = isinstance(node, Joined) or "://" in raw
        return worst(_by_parameter(speaks, one, embedded=embedded) for one in known)
    match node:
        case Scalar():
            return literal(name, raw)
        case Link():
            return _linked(speaks, node, stack)
        case Joined(parts=parts):
            return _joined(speaks, parts, raw, stack)
        case Unknown():
            return _unknown(name, node, stack)
        case _:
            return Judgement("unknown", secret=None, why="the value of a variable must be a string")


_LONGEST = 8_192
"""Characters of a value that are looked at; Lambda takes 4 KB for all variables together."""


# --- parameters


def _by_parameter(speaks: str, parameter: Parameter, *, embedded: bool) -> Judgement:
    """What the names of variable and parameter, and NoEcho, say together."""
    own = meaning(parameter.name)
    how = "hidden-parameter" if parameter.hidden else "parameter"
    table = _HIDDEN if parameter.hidden else _ASKED_FOR
    secret = table[speaks, own]
    if parameter.stored:
        kept = meaning(parameter.stored.rsplit("/", 1)[-1])
        secret = _more(secret, table[speaks, kept] if parameter.hidden else _STORED_AS[speaks, kept])
    if parameter.name.startswith(_OF_THE_MANAGER):
        secret = True
    if parameter.name.startswith(_DECRYPTED) and "harmless" not in {speaks, own}:
        secret = secret or None
    if parameter.name.startswith(_OF_A_FILE):  # it is not there to be read
        secret = secret or None
    if parameter.hidden and embedded and own == "secret":
        secret = True
    why = "its value is set at deployment, and its name suggests a secret" if secret is None else ""
    return Judgement(how, secret, parameter.name, why)


def _more(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 - truths of three values
    """Return the stronger judgment of two: a secret, else unknown."""
    return one or other if True in {one, other} or None not in {one, other} else None


_OF_A_FILE = "file:"
"""How the names of values begin that are in a file which was not read."""
_DECRYPTED = "ssm:"
"""How the names of values begin that Serverless reads from the Parameter Store, decrypted where they are secure."""

_OF_THE_MANAGER = f"{_DECRYPTED}/aws/reference/secretsmanager/"
"""How the names begin of what the Parameter Store hands on from Secrets Manager."""

_T = tuple[str, str]
_HIDDEN: Mapping[_T, bool | None] = {
    ("secret", "secret"): True,
    ("secret", "neutral"): True,
    ("secret", "harmless"): None,
    ("neutral", "secret"): True,
    ("neutral", "neutral"): None,
    ("neutral", "harmless"): None,
    ("harmless", "secret"): None,
    ("harmless", "neutral"): None,
    ("harmless", "harmless"): None,
}
"""Whether a NoEcho parameter puts a secret there, by what the variable's name says and what its own does."""
_ASKED_FOR: Mapping[_T, bool | None] = {
    ("secret", "secret"): True,
    ("secret", "neutral"): None,
    ("secret", "harmless"): False,
    ("neutral", "secret"): None,
    ("neutral", "neutral"): False,
    ("neutral", "harmless"): False,
    ("harmless", "secret"): False,
    ("harmless", "neutral"): False,
    ("harmless", "harmless"): False,
}
"""The same for a public parameter: both names together indicate a secret, one alone does not decide."""


_STORED_AS: Mapping[_T, bool | None] = {**_ASKED_FOR, ("neutral", "neutral"): None}
"""The same for a value that the Parameter Store has in plain text: neither name says that it is none."""


# --- dynamic references

_DYNAMIC = re.compile(r"\{\{resolve:(ssm-secure|ssm|secretsmanager):([^}]{0,2000})")
_NOT_THE_SECRET = frozenset(
    ("username", "user", "host", "hostname", "port", "dbname", "engine", "dbinstanceidentifier")
)
"""Other members of a database's secret, besides the password."""


_MAY_BE_STORED = "it holds the value of an SSM parameter, which may be a secret in plain text"


def _dynamic(speaks: str, found: re.Match[str]) -> Judgement:
    store, reference = found.groups()
    if store == "secretsmanager":
        key = re.search(r":SecretString:([^:]*)", reference)
        described = key is not None and key.group(1).lower() in _NOT_THE_SECRET
        why = "it is unknown which parts of the stored secret are secret"
        if described and speaks != "secret":
            return Judgement("secretsmanager-dynamic", secret=None, why=why)
        return Judgement("secretsmanager-dynamic", secret=True)
    if store == "ssm-secure":
        return Judgement("ssm-secure", secret=True)
    last = re.sub(r":\d*\Z", "", reference).rsplit("/", 1)[-1]
    secret = _STORED_AS[speaks, meaning(last)]
    return Judgement("ssm-dynamic", secret, why="" if secret is not None else _MAY_BE_STORED)


# --- references to resources

_DECRYPTED_BY_KMS = "AWS::KMS::DecryptedSecrets"
_VALUES = frozenset((
    ("random_password", "result"),
    ("random_string", "result"),
    ("random_bytes", "base64"),
    ("random_bytes", "hex"),
    ("AWS::ApiGateway::ApiKey", "value"),
    ("AWS::AppSync::ApiKey", "key"),
    ("AWS::AppSync::ApiKey", "ApiKey"),
    ("AWS::IAM::AccessKey", "ses_smtp_password_v4"),
    (_DECRYPTED_BY_KMS, "plaintext"),
))  # fmt: skip
"""Attributes that are a secret although their name does not show it."""
_STORED = frozenset(("AWS::SSM::Parameter",))
_SECRETS = _STORED | {"AWS::SecretsManager::Secret"}


def _linked(speaks: str, link: Link, stack: Stack) -> Judgement:
    resource = stack.resources.get(link.resource)
    kind = stack.type_of(link.resource)
    attribute = re.split(r"[.\[]", link.attribute)[0] if kind == _DECRYPTED_BY_KMS else link.attribute
    if (kind, attribute) in _VALUES or meaning(attribute) == "secret":
        return Judgement("secret-value", secret=True, by=link.resource)
    if kind in _STORED and attribute.lower() in {"value", "insecure_value"}:
        secure = resource is not None and shape_of(resource.properties.entries.get("Type")) == "SecureString"
        secret = True if secure else _STORED_AS[speaks, meaning(link.resource)]
        why = "" if secret is not None else _MAY_BE_STORED
        return Judgement("secret-value" if secret else "link", secret, link.resource, why)
    if kind.startswith(("Custom::", "AWS::CloudFormation::")) and attribute:
        why = "its value comes from a custom resource or another stack"
        return Judgement("link", secret=None, by=link.resource, why=why)
    return Judgement("reference" if kind in _SECRETS or not attribute else "link", secret=False, by=link.resource)


# --- texts and what is unknown


def _joined(speaks: str, parts: tuple[str | Link | Unknown, ...], raw: str, stack: Stack) -> Judgement:
    linked = [_linked("neutral", part, stack) for part in parts if isinstance(part, Link)]
    if any(one.secret for one in linked):
        return worst(iter(linked))
    unknown = next((part for part in parts if isinstance(part, Unknown)), None)
    if unknown is None or speaks == "harmless" or (is_address(raw) and not _PASSWORD_PART.search(raw)):
        return Judgement("text", secret=False)
    return Judgement("text", secret=None, why=unknown.why)


_PASSWORD_PART = re.compile(r"://[^/\s@]{0,300}:\*[^/\s@]{0,300}@")


def _unknown(name: str, node: Unknown, stack: Stack) -> Judgement:
    """Treat an unknown value as possibly a secret, whatever its name; another stack's output is readable by all.

    One that is a secret under the defaults of parameters is one.
    """
    usual = None if node.usual is None else _decided(name, node.usual, stack)
    if usual is not None and usual.secret:
        return usual
    shown = bool(node.imported) or (usual is not None and usual.secret is False)
    if meaning(name) == "harmless" and shown:
        return Judgement("unknown", secret=False)
    return Judgement("unknown", secret=None, why=node.why)
