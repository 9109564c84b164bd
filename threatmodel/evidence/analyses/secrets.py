"""How an environment variable gets its value, and whether that value is itself a secret.

Values are looked at here and dropped: what is returned holds names, places and words, never a value.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

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
    "text": "a text with references in it",
    "unknown": "something that the file does not tell",
}
"""The ways to supply a value, each in words, which `Supply.by` may complete; hidden is NoEcho, or sensitive."""


class Supply(NamedTuple):
    """How a variable gets its value: `how` is a key of HOW, `by` the parameter or resource that supplies it.

    `secret` says whether the value is a secret, None where nobody can tell; `why` then says why.
    """

    name: str
    how: str
    place: Place
    secret: bool | None
    by: str = ""
    why: str = ""

    def told(self) -> str:
        """The supply in words, for a note."""
        return " ".join(part for part in (f"{_shown(self.name)}:", HOW[self.how], self.by) if part)


def supplied(name: str, node: Node, stack: Stack) -> Supply:
    """How the variable of this name gets what stands there."""
    return Supply(name, "", node.place, None)._replace(**_decided(name, node, stack)._asdict())


class _Judgement(NamedTuple):
    how: str
    secret: bool | None
    by: str = ""
    why: str = ""


def _decided(name: str, node: Node, stack: Stack) -> _Judgement:
    raw = (
        str(node.value)[:_LONGEST] if isinstance(node, Scalar) and node.value is not None else shape_of(node)[:_LONGEST]
    )
    speaks = meaning(name)
    dynamic = _DYNAMIC.search(raw)
    if dynamic is not None:
        return _dynamic(speaks, dynamic)
    if _looks(raw, speaks):
        return _Judgement("literal-secret", secret=True)
    given: tuple[str, ...] = getattr(node, "given", ())
    parameters = {**stack.parameters, **stack.hidden} if stack.hidden else stack.parameters
    known = [parameters[one] for one in given if one in parameters]
    if known:
        return _worst(_by_parameter(speaks, one, embedded=_is_embedded(node, raw)) for one in known)
    match node:
        case Scalar():
            return _literal(speaks, raw, _words(name))
        case Link():
            return _linked(speaks, node, stack)
        case Joined(parts=parts):
            return _joined(speaks, parts, raw, stack)
        case Unknown():
            return _unknown(name, node, stack)
        case _:
            return _Judgement("unknown", secret=None, why="a variable's value has to be a text")


_LONGEST = 8_192
"""Characters of a value that are looked at; Lambda takes 4 KB for all variables together."""


def _worst(judgements: Iterator[_Judgement]) -> _Judgement:
    """The judgement that says most: a secret, else one that nobody can tell, else the first."""
    return max(judgements, key=lambda one: 2 if one.secret else 1 if one.secret is None else 0)


# --- what a name says

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ENDINGS = ("SECRET", "TOKEN", "PASSWORD", "PASSPHRASE", "APIKEY")
_SECRET = frozenset((
    *("SECRET", "SECRETS", "TOKEN", "TOKENS", "PASSWORD", "PASSWORDS", "PASSWD", "PASSPHRASE", "PWD"),
    *("APIKEY", "SIGNING", "CREDENTIAL", "CREDENTIALS", "KEY", "KEYS", "BEARER", "PEPPER"),
    *("PASS", "AUTH", "OAUTH", "SALT", "SIG", "SIGN", "SIGNATURE", "CRED", "CREDS", "PAT", "JWT", "HMAC", "PIN"),
    *("PRIVATE", "PASSCODE", "DSN", "ENCRYPTION", "VERIFICATION", "SHARED"),
))  # fmt: skip
_HARMLESS = frozenset((
    *("NAME", "NAMES", "ARN", "ARNS", "ID", "IDS", "PARAMETER", "PARAMETERS", "PARAM", "PARAMS"),
    *("PATH", "PATHS", "TTL", "URL", "URLS", "URI", "ENDPOINT", "HOST", "HOSTNAME", "PORT", "PREFIX"),
    *("SUFFIX", "REGION", "TABLE", "BUCKET", "QUEUE", "TOPIC", "STAGE", "ENV", "ENVIRONMENT"),
    *("EXPIRY", "EXPIRATION", "EXPIRES", "TIMEOUT", "SECONDS", "MINUTES", "HOURS", "DAYS", "COUNT"),
    *("LIMIT", "SIZE", "LENGTH", "VERSION", "TYPE", "HEADER", "FIELD", "ALIAS", "REF", "STORE"),
    *("LABEL", "ISSUER", "AUDIENCE", "ENABLED", "DISABLED", "REQUIRED", "ROTATION", "ALGORITHM"),
    *("ALG", "LOCATION", "FILE", "SOURCE", "PROVIDER", "SCOPE", "SCOPES", "TEMPLATE", "MODE"),
    *("POLICY", "LEVEL", "INDEX", "MANAGER", "ATTRIBUTE"),
))  # fmt: skip
_OTHER_KEYS = frozenset((
    *("PARTITION", "SORT", "HASH", "RANGE", "PRIMARY", "FOREIGN", "PUBLIC", "KMS", "OBJECT", "S"),
    *("FILE", "CACHE", "BUCKET", "IDEMPOTENCY", "ROUTING", "TABLE", "INDEX"),
))  # fmt: skip
"""What stands before KEY where it is no secret (``S`` is S3's)."""
_COUNTED = frozenset(("MAX", "MIN", "NEXT", "INPUT", "OUTPUT", "COMPLETION", "TOTAL", "BUDGET"))
"""What stands before TOKEN(S) where it is no secret: a language model counts tokens, a page of results has one."""


_ADDRESSES = frozenset(("URL", "URLS", "URI", "ENDPOINT"))
_WITH_PASSWORD = frozenset((
    *("WEBHOOK", "WEBHOOKS", "DATABASE", "DB", "CONNECTION", "REDIS", "MONGO", "MONGODB", "POSTGRES", "MYSQL", "AMQP"),
))  # fmt: skip
"""What stands before an address that may hold a secret itself."""


def meaning(name: str) -> str:
    """What a name says of its value: secret, harmless (the name, ARN, path or lifetime of one), or neither: neutral."""
    words = _words(name)
    if words and words[-1] in _ADDRESSES and not _WITH_PASSWORD.isdisjoint(words):
        return "neutral"
    if not words or words[-1] in _HARMLESS:
        return "harmless" if words else "neutral"
    return "secret" if _speaks_of_secrets(words) else "neutral"


def _words(name: str) -> list[str]:
    return [word.upper() for word in _WORD.findall(name[:200])]


def _is_secret(word: str, before: str) -> bool:
    if word in {"KEY", "KEYS"}:
        return before not in _OTHER_KEYS
    if word in {"TOKEN", "TOKENS"}:
        return before not in _COUNTED
    return word in _SECRET or word.endswith(_ENDINGS)


# --- what a value looks like

_LOOKS = re.compile(
    r"""xox[a-z][.-][A-Za-z0-9.-]{6,200}              # Slack's bot, user, refresh and configuration tokens
    | x(?:app|wfp)-[A-Za-z0-9-]{6,200}
    | hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9]+/[A-Za-z0-9]+
    | (?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])
    | -----BEGIN[ ][A-Z0-9 ]{0,40}PRIVATE[ ]KEY
    | (?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{4,4000}\.[A-Za-z0-9_-]
    | (?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{30} | github_pat_[A-Za-z0-9_]{30} | glpat-[A-Za-z0-9_-]{18})
    | (?<![A-Za-z0-9])(?:[sr]k_live_[A-Za-z0-9]{16,} | sk-[A-Za-z0-9_-]{32} | AIza[A-Za-z0-9_-]{35})
    | (?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}
    | (?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16}
    | (?<![A-Za-z])(?:Basic|Bearer)[ ]+[A-Za-z0-9+/=._~-]{8,4000}
    | ://[^/\s:@$*{]{0,100}:[^/\s@$*{]{1,200}@     # a password in a URL
    | (?i:password|pwd|accountkey|sharedaccesskey)=[^;\s$*{]{4,200}
    """,
    re.VERBOSE,
)
_PLACEHOLDER = re.compile(
    r"(?i)(?<![a-z])(?:your|change|changeme|replace|replaceme|placeholder|insert|example|dummy|sample|todo|fixme|tbd|none|"
    r"null|unset|undefined|redacted|xxx+)(?![a-z])|\A(?:(.)\1*|<.*>|\[.*\])\Z"
)
_STRONG_PLACEHOLDER = re.compile(
    r"(?i)(?<![a-z])(?:your|change|replace|placeholder|insert|example|dummy|xxx+)(?![a-z])"
)
_HEX = re.compile(r"[0-9a-fA-F]{32,}\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_NO_SECRET = re.compile(
    r"arn:|[a-z][a-z0-9+.-]{0,20}://|/|\.{1,2}/|(?i:true|false|yes|no|on|off)\Z|[-+]?\d[\d.]{0,8}\Z"
)
_NAME_PART = re.compile(r"(?:[a-z]+|[A-Z]+|(?:[A-Z]?[a-z]+)(?:[A-Z][a-z]+)*|v?\d{1,4}|[a-z]+\d{1,2})\Z")
_SHORTEST = 16
_BITS = 3.2
"""Bits of entropy in a character from which a text of letters and digits is no words."""


def _looks(raw: str, speaks: str) -> bool:
    """Whether a text certainly is a secret: by its own form, or because it is random and its name says so."""
    own_form = _LOOKS.search(raw)
    if own_form is not None:
        return not _STRONG_PLACEHOLDER.search(own_form.group())
    if speaks != "secret" or _PLACEHOLDER.search(raw):
        return False
    return bool(_HEX.match(raw) or _UUID.match(raw)) or _is_random(raw)


def _is_random(raw: str) -> bool:
    if len(raw) < _SHORTEST or not re.fullmatch(r"[\x21-\x7e]+", raw) or _NO_SECRET.match(raw) or "${" in raw:
        return False
    if not (re.search(r"\d", raw) and re.search(r"[A-Za-z]", raw)) or _is_name(raw):
        return False
    return -sum(n / len(raw) * math.log2(n / len(raw)) for n in Counter(raw).values()) >= _BITS


def _is_name(raw: str) -> bool:
    """Whether a text is made of words, as the names of things are: ``prod/slack/token-2``."""
    return all(_NAME_PART.match(part) for part in re.split(r"[-_/.:]", raw) if part)


_HEX_PART = re.compile(r"(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])[0-9a-fA-F]{16,}\Z")
_NO_SECRET_BY_NAME = re.compile(r"arn:|[a-z][a-z0-9+.-]{0,20}://|/|(?i:true|false)\Z")
"""What is no secret even under the name of one: the ARN, address or path of it, and a switch."""


_PASSWORD = re.compile(r"(?=\S*[A-Za-z])(?=\S*[0-9])[\x21-\x7e]{8,}\Z")
_AT_THE_END = frozenset(("ACCESS", "BOT"))
"""Words that alone name a secret where nothing follows them: ``SLACK_BOT``, but not ``BOT_MODE``."""


def _document(raw: str) -> Mapping[str, str] | None:
    """The members of a text that is an object of JSON, by their names; None where it is none, or holds more objects."""
    if not raw.startswith("{"):
        return None
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(found, dict) and not any(isinstance(one, dict | list) for one in found.values())
    return {name: "" if one is None else str(one) for name, one in found.items()} if plain else None


def _member(name: str, raw: str) -> _Judgement:
    """What a member of a document is, by its own name."""
    speaks = meaning(name)
    return _Judgement("literal-secret", secret=True) if _looks(raw, speaks) else _literal(speaks, raw, _words(name))


def _literal(speaks: str, raw: str, words: list[str]) -> _Judgement:
    members = _document(raw) if speaks != "secret" else None
    if members is not None:
        return _worst(_member(*one) for one in members.items()) if members else _Judgement("literal", secret=False)
    if speaks == "secret" and not _NO_SECRET_BY_NAME.match(raw):
        why = "its name says that it is a secret, its value does not look like one"
        return _Judgement("literal", secret=None, why=why)
    if _may_be_password(raw) and (_AT_THE_END.issuperset(words[-1:]) or _speaks_of_secrets(words)):
        return _Judgement(
            "literal", secret=None, why="its name speaks of a secret, and its value is made like a password"
        )
    identifier = "PUBLIC" in words or (speaks == "harmless" and _UUID.match(raw))
    if not identifier and (_HEX_PART.match(raw) or _UUID.match(raw) or _is_random(raw)):
        return _Judgement("literal", secret=None, why="its value looks random, as a secret does")
    return _Judgement("literal", secret=False)


def _may_be_password(raw: str) -> bool:
    """Whether a text has letters and digits, and is no name made of words, no address and no id."""
    return bool(_PASSWORD.match(raw)) and not (_is_name(raw) or _NO_SECRET.match(raw) or _UUID.match(raw))


def _speaks_of_secrets(words: list[str]) -> bool:
    return any(_is_secret(word, before) for before, word in zip(["", *words], words, strict=False))


def spells_secret(raw: str) -> bool:
    """Whether a text holds what by its own form is a secret (a token, a key, a password in an address)."""
    found = _LOOKS.search(raw)
    return found is not None and not _STRONG_PLACEHOLDER.search(found.group())


def is_placeholder(raw: str) -> bool:
    """Whether a text stands where a value is put in later."""
    return not raw or bool(_PLACEHOLDER.search(raw))


# --- parameters


def _is_embedded(node: Node, raw: str) -> bool:
    return isinstance(node, Joined) or "://" in raw


def _by_parameter(speaks: str, parameter: Parameter, *, embedded: bool) -> _Judgement:
    """What the names of variable and parameter, and NoEcho, say together."""
    own = meaning(parameter.name)
    how = "hidden-parameter" if parameter.hidden else "parameter"
    if parameter.hidden:
        table = _HIDDEN
    elif parameter.type.startswith("AWS::SSM::Parameter::Value"):
        table = _FROM_STORE
    else:
        table = _ASKED_FOR
    secret = table[speaks, own]
    if parameter.stored:
        secret = _more(secret, table[speaks, meaning(parameter.stored.rsplit("/", 1)[-1])])
    if parameter.name.startswith(_DECRYPTED) and "harmless" not in {speaks, own}:
        secret = secret or None
    if parameter.hidden and embedded and own == "secret":
        secret = True
    why = "its value is given at deployment, and it may be a secret by its name" if secret is None else ""
    return _Judgement(how, secret, parameter.name, why)


def _more(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 - truths of three values
    """The judgement of two that says more: a secret, else that nobody can tell."""
    return one or other if True in {one, other} or None not in {one, other} else None


_DECRYPTED = "ssm:"
"""How the names of values begin that Serverless reads from the Parameter Store, decrypted where they are secure."""

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
    ("secret", "secret"): None,
    ("secret", "neutral"): None,
    ("secret", "harmless"): False,
    ("neutral", "secret"): None,
    ("neutral", "neutral"): False,
    ("neutral", "harmless"): False,
    ("harmless", "secret"): False,
    ("harmless", "neutral"): False,
    ("harmless", "harmless"): False,
}
"""The same for one that is shown to everybody: its author does not take it for a secret, so that alone is no proof."""
_FROM_STORE: Mapping[_T, bool | None] = {**_ASKED_FOR, ("secret", "secret"): True}
"""The same for what is read from an SSM parameter: the value behind the name, not the name, gets there."""


# --- dynamic references

_DYNAMIC = re.compile(r"\{\{resolve:(ssm-secure|ssm|secretsmanager):([^}]{0,2000})")
_NOT_THE_SECRET = frozenset(
    ("username", "user", "host", "hostname", "port", "dbname", "engine", "dbinstanceidentifier")
)
"""What stands beside the password in a database's secret."""


def _dynamic(speaks: str, found: re.Match[str]) -> _Judgement:
    store, reference = found.groups()
    if store == "secretsmanager":
        key = re.search(r":SecretString:([^:]*)", reference)
        told = key is not None and key.group(1).lower() in _NOT_THE_SECRET
        why = "which parts of a stored secret are one is not told"
        if told and speaks != "secret":
            return _Judgement("secretsmanager-dynamic", secret=None, why=why)
        return _Judgement("secretsmanager-dynamic", secret=True)
    if store == "ssm-secure":
        return _Judgement("ssm-secure", secret=True)
    last = re.sub(r":\d*\Z", "", reference).rsplit("/", 1)[-1]
    secret = _FROM_STORE[speaks, meaning(last)]
    why = "" if secret is not None else "an SSM parameter's value gets there, which may be a secret by its name"
    return _Judgement("ssm-dynamic", secret, why=why)


# --- references to resources

_VALUES = frozenset((
    ("random_password", "result"),
    ("random_string", "result"),
    ("random_bytes", "base64"),
    ("random_bytes", "hex"),
    ("aws_api_gateway_api_key", "value"),
    ("aws_appsync_api_key", "key"),
    ("aws_iam_access_key", "ses_smtp_password_v4"),
    ("aws_kms_secrets", "plaintext"),
))  # fmt: skip
"""Attributes that are a secret although their name does not say so."""
_STORED = frozenset(("AWS::SSM::Parameter", "aws_ssm_parameter"))
_SECRETS = _STORED | {"AWS::SecretsManager::Secret", "aws_secretsmanager_secret"}


def _linked(speaks: str, link: Link, stack: Stack) -> _Judgement:
    resource = stack.resources.get(link.resource)
    kind = resource.type if resource is not None else _type_in(link.resource)
    attribute = re.split(r"[.\[]", link.attribute)[0] if kind == "aws_kms_secrets" else link.attribute
    if (kind, attribute) in _VALUES or meaning(attribute) == "secret":
        return _Judgement("secret-value", secret=True, by=link.resource)
    if kind in _STORED and attribute.lower() in {"value", "insecure_value"}:
        secure = resource is not None and shape_of(resource.properties.entries.get("type")) == "SecureString"
        secret = True if secure else _FROM_STORE[speaks, meaning(link.resource)]
        why = "" if secret is not None else "an SSM parameter's value gets there, which may be a secret by its name"
        return _Judgement("secret-value" if secret else "link", secret, link.resource, why)
    if kind.startswith(("Custom::", "AWS::CloudFormation::")) and attribute:
        why = "it is what somebody's code or another stack gives"
        return _Judgement("link", secret=None, by=link.resource, why=why)
    return _Judgement("reference" if kind in _SECRETS or not attribute else "link", secret=False, by=link.resource)


def _type_in(address: str) -> str:
    """The type in a Terraform address such as ``module.a.data.aws_ssm_parameter.token``; '' in any other name."""
    parts = re.sub(r"\[[^\]]*\]", "", address).split(".")
    return parts[-2] if len(parts) > 1 else ""


# --- texts and what is unknown


def _joined(speaks: str, parts: tuple[str | Link | Unknown, ...], raw: str, stack: Stack) -> _Judgement:
    linked = [_linked("neutral", part, stack) for part in parts if isinstance(part, Link)]
    if any(one.secret for one in linked):
        return _worst(iter(linked))
    unknown = next((part for part in parts if isinstance(part, Unknown)), None)
    if unknown is None or speaks == "harmless" or (_NO_SECRET.match(raw) and not _PASSWORD_PART.search(raw)):
        return _Judgement("text", secret=False)
    return _Judgement("text", secret=None, why=unknown.why)


_PASSWORD_PART = re.compile(r"://[^/\s@]{0,300}:\*[^/\s@]{0,300}@")


def _unknown(name: str, node: Unknown, stack: Stack) -> _Judgement:
    """What is not told may be anything, whatever its name says; what another stack gives away is shown to everybody."""
    shown = bool(node.imported) or (node.usual is not None and supplied(name, node.usual, stack).secret is False)
    if meaning(name) == "harmless" and shown:
        return _Judgement("unknown", secret=False)
    return _Judgement("unknown", secret=None, why=node.why)


def _shown(name: str) -> str:
    """A variable's name; one that Lambda would not take may be anything, so it is not shown."""
    return name if re.fullmatch(r"[A-Za-z]\w{0,127}", name) and not _LOOKS.search(name) else "a variable"
