"""Answers of a repository's host, saved to a file: what GitHub's REST API says of rules, environments and scanning.

One answer, or several behind each other as ``gh api --include`` prints them, with the day on which the host
gave them.  A body without ``id``, ``url`` or ``_links`` is what its author wants to send to the host, and no answer.
See https://docs.github.com/rest: repos/rules, branches/branch-protection, deployments/environments.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from threatmodel.beside.folder import Unread
from threatmodel.beside.nodes import items, text
from threatmodel.beside.repository.workflow import skipped
from threatmodel.reading.problems import Place, quoted, refusal
from threatmodel.reading.values import dataclass, field
from threatmodel.stacks.cloudformation.document import parse
from threatmodel.stacks.values import List, Node, Table, entries, get

MOST = 100
"""Answers of a file."""

_BEGIN = re.compile(r"^HTTP/[\d.]+ (\d{3})\b[^\n]*\n", re.MULTILINE)
_DATE = re.compile(r"^date:[ \t]*([^\n]+)$", re.MULTILINE | re.IGNORECASE)
_API = re.compile(r"https://[\w.-]+(?:/api/v3)?/repos/([\w.-]+/[\w.-]+)")


class Rule(NamedTuple):
    """What a ruleset or the protection of a branch asks of a change.

    `applies` is whether it is in force for the default branch (None where it names the branch), `branches` the
    branches that it names; `reviews` the approvals (None where no review is asked for), `bypass` who may go around it
    (None where the answer does not say).
    """

    name: str
    place: Place
    applies: bool | None
    branches: tuple[str, ...]
    reviews: int | None
    bypass: tuple[str, ...] | None
    why: str = ""


class Gate(NamedTuple):
    """A deployment environment: who must approve, whether the person who started it may, and whether admins skip it."""

    name: str
    place: Place
    reviewers: bool
    self_review: bool | None
    admins_bypass: bool | None


class Scanning(NamedTuple):
    """Whether the host scans for secrets, and rejects a push with one; None where the answer does not say."""

    secrets: bool | None
    pushes: bool | None
    place: Place


@dataclass(kw_only=True)
class Answers:
    """What a file of answers says, filled while it is read.

    `day` is the day of the oldest answer (None where one has none), `effective` what the rules in force for a branch
    ask for, and `effective_whole` where they are listed.  `unprotected` is where the host says that a branch has no
    protection, `open_alerts` are secrets that it found and that are not replaced, `pushing_keys` deploy keys that may
    push, and `passwords_only` organizations that require no second factor.  `wishes` are bodies that are no answers,
    and `repositories` those that the answers are of, each with the place of the first.
    """

    file: str
    day: datetime.date | None
    rules: list[Rule] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    scanning: list[Scanning] = field(default_factory=list)
    effective: list[tuple[int | None, Place]] = field(default_factory=list)
    unprotected: list[Place] = field(default_factory=list)
    wishes: list[Place] = field(default_factory=list)
    default_branch: str = ""
    repositories: dict[str, Place] = field(default_factory=dict)
    open_alerts: list[Place] = field(default_factory=list)
    pushing_keys: list[Place] = field(default_factory=list)
    passwords_only: list[Place] = field(default_factory=list)
    effective_whole: Place | None = None
    unread: list[Unread] = field(default_factory=list)


class _Answer(NamedTuple):
    status: int
    day: datetime.date | None
    body: Node
    place: Place


def answers(source: str, file: str) -> Answers:
    """Return what a file of answers says.  Raises InputError where it holds none, or is cut short."""
    every = list(_split(source, file))
    days = [one.day for one in every]
    found = Answers(file=file, day=None if None in days else min(day for day in days if day is not None))
    for one in every[:MOST]:
        _read(one, found)
    if len(every) > MOST:
        found.unread.append(skipped(every[MOST].place, f"{MOST} answers were read before it", "save fewer in one file"))
    return found


def _split(source: str, file: str) -> Iterator[_Answer]:
    """The answers of a file, each with its own lines.  Raises InputError."""
    begins = list(_BEGIN.finditer(source))
    if not begins:
        yield _answer(200, None, source, 0, file)
        return
    for one, end in zip(begins, [*(after.start() for after in begins[1:]), len(source)], strict=True):
        head, _, body = source[one.end() : end].partition("\n\n")
        if not body.strip():
            message = "this answer has headers and no body"
            raise refusal(
                "not-an-answer", _place(source, one.start(), file), message, "save it again with `gh api --include`"
            )
        begin = one.end() + len(head) + 2
        yield _answer(int(one[1]), _day(head, source, one.end(), file), body, source.count("\n", 0, begin), file)


def _place(source: str, at: int, file: str) -> Place:
    return Place(file, source.count("\n", 0, at) + 1)


def _day(head: str, source: str, at: int, file: str) -> datetime.date | None:
    """The day that the header of an answer names.  Raises InputError where it is no date."""
    named = _DATE.search(head)
    if named is None:
        return None
    try:
        return parsedate_to_datetime(named[1].strip()).astimezone(datetime.UTC).date()
    except (ValueError, TypeError, OverflowError):
        place = _place(source, at + named.start(), file)
        raise refusal(
            "not-an-answer", place, f"{quoted(named[1].strip())} is no date of a header", "save the answer again"
        ) from None


def _answer(status: int, day: datetime.date | None, body: str, lines: int, file: str) -> _Answer:
    root = parse("\n" * lines + body, file).root
    if not isinstance(root, Table | List):
        message, hint = "this is no answer of GitHub's REST API as JSON", "save it with `gh api --include`"
        raise refusal("not-an-answer", Place(file, lines + 1), message, hint)
    return _Answer(status, day, root, root.place)


# --- what an answer is, by its keys

_Reader = Callable[[Node, Answers], None]


def _read(one: _Answer, found: Answers) -> None:
    """Add what an answer says."""
    for address in _addresses(one.body):
        if of := _API.match(address):
            found.repositories.setdefault(of[1].lower(), one.place)
    if one.status >= 400:  # noqa: PLR2004 - an error
        _read_error(one, found)
        return
    bodies = items(one.body) if isinstance(one.body, List) else (one.body,)
    for body in bodies:
        reader = next((read for keys, read in _READERS.items() if keys <= entries(body).keys()), None)
        if reader is not None:
            reader(body, found)
        else:
            found.unread.append(skipped(body.place, "this is no answer that is read", _ASKED))


_ASKED = (
    "save those of repos/OWNER/NAME, .../rulesets/ID, .../rules/branches/BRANCH, .../branches/BRANCH/protection, "
    ".../environments, .../keys and .../secret-scanning/alerts, or that of orgs/OWNER"
)


def _addresses(node: Node) -> Iterator[str]:
    """The addresses at the top of an answer."""
    bodies = node.items[:1] if isinstance(node, List) else (node,)
    for body in bodies:
        for path in (("url",), ("_links", "self", "href"), ("environments_url",), ("documentation_url",)):
            yield text(body, *path)
        source = text(body, "source") or text(body, "ruleset_source")
        if text(body, "source_type") == "Repository" or text(body, "ruleset_source_type") == "Repository":
            yield f"https://api.github.com/repos/{source}"
        for inner in items(get(body, "environments"))[:1]:
            yield text(inner, "url")


def _read_error(one: _Answer, found: Answers) -> None:
    message = text(one.body, "message")
    if one.status == 404 and message == "Branch not protected":  # noqa: PLR2004 - and only then: 404 may hide an answer
        found.unprotected.append(one.place)
        return
    why = f"the host answered {one.status}: {message[:80] or 'no message'}"
    found.unread.append(skipped(one.place, why, "ask with a token that may read the settings of the repository"))


def _ruleset(body: Node, found: Answers) -> None:
    if not _is_answer(body):
        found.wishes.append(body.place)
        return
    name, rules = text(body, "name"), get(body, "rules")
    if text(body, "target") not in {"", "branch"}:
        return
    if not isinstance(rules, List):
        why = f"the list of rulesets does not show the rules of {quoted(name)}"
        found.unread.append(skipped(body.place, why, "save .../rulesets/ID of each"))
        return
    included = tuple(map(text, items(get(body, "conditions", "ref_name", "include"))))
    excluded = tuple(map(text, items(get(body, "conditions", "ref_name", "exclude"))))
    enforcement = text(body, "enforcement")
    default = bool({"~DEFAULT_BRANCH", "~ALL"} & set(included)) and not excluded
    why = "" if enforcement == "active" else f"its enforcement is {quoted(enforcement)}"
    found.rules.append(
        Rule(
            name=f"the ruleset {quoted(name)}",
            place=body.place,
            applies=False if why else True if default else None,
            branches=() if excluded else tuple(one.removeprefix("refs/heads/") for one in included),
            reviews=_reviews(rules),
            bypass=_bypass(body),
            why=why,
        )
    )


def _is_answer(body: Node) -> bool:
    """Whether the host gave a body: it adds an id, a source and links to what it was sent."""
    return text(body, "id").isdigit() and bool(text(body, "source") or entries(get(body, "_links")))


def _reviews(rules: Node) -> int | None:
    """The approvals that rules ask for; None where they ask for no reviewed merge."""
    for rule in items(rules):
        if text(rule, "type") == "pull_request":
            count = text(rule, "parameters", "required_approving_review_count")
            return int(count) if count.isdigit() else 0
    return None


def _bypass(body: Node) -> tuple[str, ...] | None:
    """Who may bypass a ruleset; None where the answer leaves that out, as for readers without rights."""
    actors = get(body, "bypass_actors")
    if not isinstance(actors, List):
        return None
    return tuple(
        f"{text(one, 'actor_type') or 'an actor'} ({text(one, 'bypass_mode') or 'always'})" for one in actors.items
    )


def _branch_rule(body: Node, found: Answers) -> None:
    """A rule in force for a branch, of `rules/branches/BRANCH`; the ruleset that it is of has who may bypass it."""
    found.effective_whole = found.effective_whole or body.place
    found.effective.append((_reviews(body), body.place))


def _protection(body: Node, found: Answers) -> None:
    admins = get(body, "enforce_admins")
    if not isinstance(admins, Table):  # a body that is sent has a boolean
        found.wishes.append(body.place)
        return
    reviews = get(body, "required_pull_request_reviews")
    count = text(reviews, "required_approving_review_count")
    allowances = get(reviews, "bypass_pull_request_allowances")
    bypass = [name for name in ("users", "teams", "apps") if items(get(allowances, name))]
    bypass += ["administrators"] if text(admins, "enabled") != "true" else []
    branch = re.search(r"/branches/([^/]+)/protection", text(body, "url"))
    found.rules.append(
        Rule(
            name="the branch protection",
            place=body.place,
            applies=None,
            branches=(branch[1],) if branch else (),
            reviews=(int(count) if count.isdigit() else 0) if isinstance(reviews, Table) else None,
            bypass=tuple(bypass),
        )
    )


def _environments(body: Node, found: Answers) -> None:
    for one in items(get(body, "environments")):
        _environment(one, found)


def _environment(body: Node, found: Answers) -> None:
    if not text(body, "id").isdigit():
        found.wishes.append(body.place)
        return
    rules = [one for one in items(get(body, "protection_rules")) if text(one, "type") == "required_reviewers"]
    reviewers = any(items(get(one, "reviewers")) for one in rules)
    prevented = {text(one, "prevent_self_review") for one in rules}
    admins = text(body, "can_admins_bypass")
    found.gates.append(
        Gate(
            name=text(body, "name"),
            place=body.place,
            reviewers=reviewers,
            self_review={frozenset({"true"}): False, frozenset({"false"}): True}.get(frozenset(prevented)),
            admins_bypass=None if not admins else admins == "true",
        )
    )


def _repository(body: Node, found: Answers) -> None:
    found.default_branch = text(body, "default_branch")
    found.repositories.setdefault(text(body, "full_name").lower(), body.place)
    settings = get(body, "security_and_analysis")
    if isinstance(settings, Table):
        secrets, pushes = (_is_on(settings, key) for key in ("secret_scanning", "secret_scanning_push_protection"))
        found.scanning.append(Scanning(secrets, pushes, settings.place))


def _is_on(settings: Node, key: str) -> bool | None:
    status = text(settings, key, "status")
    return {"enabled": True, "disabled": False}.get(status)


def _noting(key: str, bad: str, places: Callable[[Answers], list[Place]]) -> _Reader:
    """Return what notes the place of a body in which a key has a value that is bad; no other value of it is shown."""

    def note(body: Node, found: Answers) -> None:
        if text(body, key) == bad:
            places(found).append(body.place)

    return note


_READERS: Mapping[frozenset[str], _Reader] = {
    frozenset(("enforcement", "name")): _ruleset,
    frozenset(("type", "ruleset_id")): _branch_rule,
    frozenset(("enforce_admins",)): _protection,
    frozenset(("environments", "total_count")): _environments,
    frozenset(("protection_rules", "name")): _environment,
    frozenset(("full_name", "default_branch")): _repository,
    frozenset(("secret_type", "state", "number")): _noting("state", "open", lambda found: found.open_alerts),
    frozenset(("read_only", "key", "title")): _noting("read_only", "false", lambda found: found.pushing_keys),
    frozenset(("two_factor_requirement_enabled", "login")): _noting(
        "two_factor_requirement_enabled", "false", lambda found: found.passwords_only
    ),
}
"""What reads an answer, by keys that only such an answer has."""
