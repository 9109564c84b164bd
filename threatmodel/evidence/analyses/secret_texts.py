"""What names and texts show: whether a value is a secret, certainly not one, or unknown.

Texts are looked at here and dropped: what is returned holds words, never a value.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from threatmodel.evidence.analyses.known_passwords import (
    is_for_password,
    is_known_password,
    is_sentence,
    says_secret,
)
from threatmodel.reading.tokens import TOKEN


class Judgement(NamedTuple):
    """How a value is supplied, whether it is a secret (None: unknown), what supplies it, and why."""

    how: str
    secret: bool | None
    by: str = ""
    why: str = ""


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """Return the strongest judgment: a secret, else an unknown one, else the first."""
    return max(judgements, key=lambda one: 2 if one.secret else 1 if one.secret is None else 0)


# --- what a name says

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DIGEST = re.compile(r"[0-9a-f]{32,}|(?<=[a-z])[0-9A-F]{8}\Z")
"""What the CDK adds to names: the digest of an asset, and one behind each name."""
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
    *("POLICY", "LEVEL", "INDEX", "MANAGER", "ATTRIBUTE", "NAMESPACE", "CASE", "OPTIONS", "USER", "USERNAME"),
    *("SERVICE", "APP", "APPLICATION", "PROJECT", "STACK", "CHANNEL", "CHANNELS", "EMAIL", "SENDER", "RECIPIENT"),
    *("DOMAIN", "ORIGIN", "ORIGINS", "LANGUAGE", "LOCALE", "CURRENCY", "FORMAT", "UNIT", "TITLE", "HANDLER"),
    *("RUNTIME", "BRANCH"),
))  # fmt: skip
_OTHER_KEYS = frozenset((
    *("PARTITION", "SORT", "HASH", "RANGE", "PRIMARY", "FOREIGN", "PUBLIC", "KMS", "OBJECT", "S"),
    *("FILE", "CACHE", "BUCKET", "IDEMPOTENCY", "ROUTING", "TABLE", "INDEX", "VERSION", "PARAMETER", "PARAM"),
))  # fmt: skip
"""Words before KEY in names that are not secrets (``S`` is S3's)."""
_COUNTED = frozenset(("MAX", "MIN", "NEXT", "INPUT", "OUTPUT", "COMPLETION", "TOTAL", "BUDGET"))
"""Words before TOKEN(S) in names that are not secrets: a language model counts tokens, a page of results has one."""


_ADDRESSES = frozenset(("URL", "URLS", "URI", "ENDPOINT"))
_WITH_PASSWORD = frozenset((
    *("WEBHOOK", "WEBHOOKS", "DATABASE", "DB", "CONNECTION", "REDIS", "MONGO", "MONGODB", "POSTGRES", "MYSQL", "AMQP"),
))  # fmt: skip
"""Words before an address that may contain a secret itself."""


def meaning(name: str) -> str:
    """What a name says of its value: secret, harmless (the name, ARN, path or lifetime of one), or neither: neutral."""
    words = _words(name)
    if words and words[-1] in _ADDRESSES and not _WITH_PASSWORD.isdisjoint(words):
        return "neutral"
    if words and (words[-1] in _HARMLESS or _is_other_key(words)):
        return "harmless"
    return "secret" if _speaks_of_secrets(words) else "neutral"


def _is_other_key(words: Sequence[str]) -> bool:
    """Whether a name ends in a key or a token that is no secret."""
    before, last = ["", *words][-2:]
    return (last in {"KEY", "KEYS"} and before in _OTHER_KEYS) or (last in {"TOKEN", "TOKENS"} and before in _COUNTED)


def _words(name: str) -> list[str]:
    words = [word.upper() for word in _WORD.findall(_DIGEST.sub("", name[:200]))]
    return [word for word in words[:-1] if word not in _ONLY_AT_THE_END] + words[-1:]


_ONLY_AT_THE_END = frozenset(("PASS",))
"""Words that name a secret only where nothing follows them: ``DB_PASS``, but not ``PASS_THROUGH``."""


def _is_secret(word: str, before: str) -> bool:
    if word in {"KEY", "KEYS"}:
        return before not in _OTHER_KEYS
    if word in {"TOKEN", "TOKENS"}:
        return before not in _COUNTED
    return word in _SECRET or word.endswith(_ENDINGS)


# --- what a value looks like

_A_WORD = r"(?:[A-Za-z][a-z]{0,15}|[A-Z]{1,16})"
_WORDS = rf"{_A_WORD}(?:[-/]{_A_WORD}){{0,9}}(?![A-Za-z0-9+/=_~-]|\.[A-Za-z0-9])"
"""Words that follow in a sentence, as Slack's page Basic Information, and no credentials."""
_LOOKS = re.compile(
    rf"""-----BEGIN[ ][A-Z0-9 ]{{0,40}}PRIVATE[ ]KEY
    | (?<![A-Za-z])(?:Basic|Bearer)[ ]+(?!{_WORDS})[A-Za-z0-9+/=._~-]{{8,4000}}
    | ://[^/\s:@$*{{]{{0,100}}:[^/\s@$*{{]{{1,200}}@     # a password in a URL
    | (?i:password|pwd|accountkey|sharedaccesskey)=[^;\s$*{{]{{4,200}}
    | (?i:aws.secret.access.key)["']?[\s:=]{{1,5}}["']?[A-Za-z0-9/+]{{40}}(?![A-Za-z0-9/+])
    """,
    re.VERBOSE,
)
_PLACEHOLDER = re.compile(
    r"(?i)(?<![a-z])(?:your|change|changeme|replace|replaceme|placeholder|insert|example|dummy|sample|todo|fixme|tbd|none|"
    r"null|unset|undefined|redacted|xxx+)(?![a-z])|\A(?:(.)\1*|<.*>|\[.*\])\Z"
)
_STRONG_PLACEHOLDER = re.compile(
    r"(?i)(?<![a-z])(?:your|change|replace|placeholder|insert|example|dummy|xxx+)(?![a-z])|<\w{1,40}>@\Z"
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


def looks_secret(raw: str, name: str) -> bool:
    """Return whether a named text certainly is a secret: by its form, as a password, or as random as its name says."""
    if has_form(raw):
        return spells_secret(raw)
    speaks, words = meaning(name), _words(name)
    if speaks != "harmless" and is_known_password(raw, words):
        return speaks != "secret" or not _PLACEHOLDER.search(raw) or is_for_password(words)
    if speaks != "secret" or _PLACEHOLDER.search(raw):
        return False
    return (
        (is_for_password(words) and _may_be_password(raw))
        or is_sentence(raw)
        or bool(_HEX.match(raw) or _UUID.match(raw))
        or _is_random(raw)
    )


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


def _document(raw: str) -> Sequence[tuple[str, str]] | None:
    """Yield each text of a JSON document, at any depth, with its name; None if it is not JSON.

    A repeated member counts twice, because a reader may use either.
    """
    if not raw.lstrip().startswith(("{", "[")):
        return None
    try:
        found = json.loads(raw, object_pairs_hook=tuple)
        return list(_texts("", found))
    except (ValueError, RecursionError):
        return None


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case tuple():
            for inner, one in value:
                yield inner, ""
                yield from _texts(inner, one)
        case list():
            for one in value:
                yield from _texts(name, one)
        case None:
            pass
        case _:
            yield name, str(value)


def _members(members: Sequence[tuple[str, str]]) -> Iterator[Judgement]:
    """What each member of a document is, by its own name; a name may be one itself."""
    for name, raw in members:
        yield Judgement("literal-secret", secret=True) if looks_secret(raw, name) else literal(name, raw)
        yield _suspected("", name) or Judgement("literal", secret=False)


def literal(name: str, raw: str) -> Judgement:
    """Return what a named text is that does not certainly look like a secret."""
    speaks = meaning(name)
    members = _document(raw) if speaks != "secret" else None
    if members is not None:
        return worst([Judgement("literal", secret=False), *_members(members)])
    words = _words(name)
    if "://" in raw and not _WEBHOOKS.isdisjoint(words):
        return Judgement("literal", secret=None, why="the address of a webhook is its secret")
    if speaks != "secret" and is_harmless(raw):
        return Judgement("literal", secret=False)
    if _URL.match(raw) and not is_harmless(raw):  # whatever its name: the address is the key
        return Judgement("literal", secret=None, why="a part of the address looks like a secret")
    suspected = _suspected(name, raw)
    if suspected is not None:
        return suspected
    public = "PUBLIC" in words
    denied = _is_password(raw, words) or (not public and _denies_name(raw, words))
    if speaks == "secret" or ((public or speaks == "harmless") and not denied):
        return Judgement("literal", secret=False)
    return Judgement("literal", secret=None, why="neither its name nor its form shows that it is no secret")


def _denies_name(raw: str, words: list[str]) -> bool:
    """Whether a text is no name, or speaks of a secret where the name of the variable does not."""
    return _may_be_password(raw) or (not _speaks_of_secrets(words) and not _CALLS_ITSELF.isdisjoint(_words(raw)))


_CALLS_ITSELF = frozenset(("SECRET", "PASSWORD", "PASSPHRASE"))


def _is_password(raw: str, words: list[str]) -> bool:
    """Whether a text is a password, or just the word, where the name is not that of a secret's name or id."""
    return is_known_password(raw, words) or (says_secret(raw) and not _speaks_of_secrets(words))


def _suspected(name: str, raw: str) -> Judgement | None:
    """That a text may be a secret, by its name or since it looks like one."""
    speaks, words = meaning(name), _words(name)
    if speaks == "secret" and not _NO_SECRET_BY_NAME.match(raw):
        why = "its name indicates a secret, but its value does not look like one"
        return Judgement("literal", secret=None, why=why)
    if _may_be_password(raw) and (_AT_THE_END.issuperset(words[-1:]) or _speaks_of_secrets(words)):
        return Judgement("literal", secret=None, why="its name indicates a secret, and its value looks like a password")
    identifier = "PUBLIC" in words or (speaks == "harmless" and _UUID.match(raw))
    if not identifier and (_HEX_PART.match(raw) or _UUID.match(raw) or _is_random(raw)):
        return Judgement("literal", secret=None, why="its value looks random, as a secret does")
    return None


_WEBHOOKS = frozenset(("WEBHOOK", "WEBHOOKS", "HOOK", "HOOKS"))
_FORM = re.compile(
    r"""(?i:true|false|yes|no|on|off|null|none|enabled|disabled)
    | [-+]?\d{1,20}(?:\.\d{1,20})?[%]?                                        # a number
    | \d{1,9}[ ]?(?i:ms|s|sec|seconds|m|min|minutes|h|hours|d|days|[kmg]i?b?)   # with a unit
    | v?\d{1,4}(?:\.\d{1,6}){1,3}(?:-[a-z]{1,10}\.?\d{0,3})?                   # a version
    | \d{4}-\d{2}-\d{2}(?:T[\d:.]{5,20}Z?)?                                   # a day
    | (?i:trace|debug|info|warn|warning|error|critical|fatal|all|silly|verbose)
    | -----BEGIN[ ]PUBLIC[ ]KEY-----[\s\S]{0,4000}
    | arn:[a-z0-9-]{1,20}:[^\s]{1,300}
    | (?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-[a-z]{2,9}){1,2}-\d[a-f]?            # a Region, a zone
    | \.{0,2}/[\w./*@~+-]{0,200}                                              # a path
    | s3://[\w./-]{1,200}
    | localhost(?::\d{1,5})?
    | (?:[a-z0-9_-]{1,63}\.){1,8}
      (?:com|org|net|io|dev|edu|gov|info|cloud|app|ai|aws|local|internal|example|test)(?::\d{1,5})?
    | (?:[a-z0-9_-]{1,63}\.){2,8}[a-z]{2}(?::\d{1,5})?                         # a host
    | \d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?::\d{1,5})?                       # an address
    | (?:vpc|subnet|sg|i|ami|vol|eni|rtb|igw|acl|vpce)-[0-9a-f]{8,17}           # an id of EC2
    | [\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}                      # a mail address
    | (?:application|audio|font|image|multipart|text|video)/[\w.+*-]{1,80}
    | [a-z]{2}[-_][A-Z]{2}(?:\.UTF-8)?                                         # a language
    | (?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[A-Z][A-Za-z_]{1,30}|UTC
    | (?:rate|cron)\([\w ,*/?#-]{1,80}\)
    | (?:(?:--[A-Za-z][\w:+-]{1,60}|-XX?:[\w:+-]{1,60})(?:=\w{1,20})?(?:[ ](?=-)|\Z)){1,9}  # options of a program
    """,
    re.VERBOSE,
)
"""The forms of what is no secret: switches, numbers, levels, ARNs, Regions, paths, hosts and the like."""
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,20}://[^\s@]{1,2000}\Z")
_MOST_ITEMS = 100


def is_harmless(raw: str) -> bool:
    """Return whether a text has the form of something that is no secret, or is a list of such texts."""
    items = raw.strip().split(",")
    return len(items) <= _MOST_ITEMS and all(_is_harmless(item.strip()) for item in items)


def _is_harmless(raw: str) -> bool:
    """Whether a text has such a form, and no part of it looks random or is named for a secret."""
    if _ID.fullmatch(raw) or _is_numbered_name(raw):
        return True
    if not (_FORM.fullmatch(raw) or _URL.match(raw)):
        return not raw
    named = _ASSIGNED.findall(raw)
    return not any(map(_is_key, re.split(r"[/?&=#:., ]", raw))) and not any(meaning(one) == "secret" for one in named)


_ID = re.compile(
    r"""[UWCTGDBAE]\d[A-Z0-9]{7,9}                                                 # a member or channel of Slack
    | (?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-[a-z]{2,9}){1,2}-\d_[A-Za-z0-9]{9}     # a user pool of Cognito
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"(?<=[-._/:])(?:\d{12}|20\d{6}|v\d{1,2}:\d{1,2})(?![0-9A-Za-z])")
"""What names have beside words: the number of an account, a day, the version of a language model."""


def _is_numbered_name(raw: str) -> bool:
    """Whether a text is words with such a number: ``logs-123456789012``, ``anthropic.claude-3-haiku-20240307-v1:0``."""
    words, numbers = _NUMBER.subn("", raw)
    return numbers > 0 and raw[0].isalpha() and raw == raw.lower() and _is_name(words)


_ASSIGNED = re.compile(r"([A-Za-z][\w-]{0,60})=")
"""The names in a text that give a value: the parameters of an address, the options of a program."""


def _is_key(part: str) -> bool:
    return bool(_HEX_PART.match(part) or _UUID.match(part)) or _is_random(part)


def _may_be_password(raw: str) -> bool:
    """Whether a text has letters and digits, and is no name made of words, no address and no id."""
    return bool(_PASSWORD.match(raw)) and not (_is_name(raw) or _NO_SECRET.match(raw) or _UUID.match(raw))


def _speaks_of_secrets(words: list[str]) -> bool:
    return any(_is_secret(word, before) for before, word in zip(["", *words], words, strict=False))


def has_form(raw: str) -> bool:
    """Whether something in a text has the form of a secret, be it meant for a placeholder."""
    return TOKEN.search(raw) is not None or _LOOKS.search(raw) is not None


def is_address(raw: str) -> bool:
    """Whether a text begins as an ARN, an address or a path, or is a switch or a number."""
    return _NO_SECRET.match(raw) is not None


def spells_secret(raw: str) -> bool:
    """Whether a text holds what by its own form is a secret (a token, a key, a password in an address)."""
    return spells_token(raw) or any(not _STRONG_PLACEHOLDER.search(found.group()) for found in _LOOKS.finditer(raw))


def spells_token(raw: str) -> bool:
    """Whether a text holds a token or key of a known form."""
    return any(not _STRONG_PLACEHOLDER.search(found.group(1)) for found in TOKEN.finditer(raw))


def writes_secret(raw: str) -> bool:
    """Whether a line of code holds a token or key of a known form, or a password or key under such a name.

    `password=` alone is part of a call there.
    """
    return spells_token(raw) or any(_is_written(name, value) for name, value in _WRITTEN.findall(raw))


def _is_written(name: str, value: str) -> bool:
    """Whether a named text in code certainly is a secret: the name KEY alone says nothing, a word may be a label."""
    words = _words(name)
    if value.isalpha() or meaning(name) != "secret" or not _is_secret(words[-1], ""):
        return False
    return (len(words) > 1 or is_for_password(words)) and looks_secret(value, words[-1])


_WRITTEN = re.compile(
    r"""(?<![\w$-])([A-Za-z_]\w{0,80})["']?\s{0,3}(?::\s{0,3}\w{1,20}\s{0,3})?[:=]\s{0,3}["']([^"'`\s${}<>]{6,200})["']"""
)
"""A name, and the text that code gives it: an assignment, a member, an argument; `const key: string = "..."`."""


def is_placeholder(raw: str) -> bool:
    """Return whether a text is a placeholder."""
    return not raw or bool(_PLACEHOLDER.search(raw))
