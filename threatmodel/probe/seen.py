"""What a run has seen beside its answers: for which requests it shows something, and which calls the handler made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from threatmodel.probe.kinds import KINDS
from threatmodel.reading.values import dataclass

if TYPE_CHECKING:
    from threatmodel.probe.cases import Case
    from threatmodel.probe.leaks import Hidden
    from threatmodel.probe.protocol import Effect, Reply
    from threatmodel.probe.requests import Genuine

_BESIDE_AWS = frozenset({"slack", "network", "process", "file"})
_CUT = " (not understood)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """By which methods, at which paths, in which forms and of which kinds requests went without a right signature."""

    methods: tuple[str, ...]
    paths: tuple[str, ...]
    forms: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCall:
    """An operation of AWS that the handler was seen to use, on which resource.

    `service` and `action` are those of the API (dynamodb, PutItem), `resource` the last part of the name or ARN that
    was given ('' where the operation has none), `variable` the handler's variable that holds it ('' where none does).
    """

    service: str
    action: str
    resource: str
    variable: str


def shown_for(replies: Sequence[tuple[Case, Sequence[Reply]]], genuine: Genuine) -> Coverage:
    """What the requests that bear on the signature cover."""
    sends = [send for case, _ in replies if "verifies_signature" in case.decides for send in case.send]
    requests = [send for send in sends if send.event is None and not send.rule]
    flow = {genuine.path_of("install"), genuine.path_of("callback")}  # whose requests are not signed
    return Coverage(
        methods=_each(send.method for send in requests),
        paths=_each(
            path for send in requests if (path := send.path or genuine.routes.get(send.body, genuine.path)) not in flow
        ),
        forms=_each(send.shape or genuine.shape for send in requests),
        kinds=_each(genuine.kind if send.body == "genuine" else send.body for send in requests if _is_kind(send.body)),
    )


def _is_kind(body: str) -> bool:
    return body == "genuine" or body in KINDS


def _each(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def calls_seen(
    replies: Sequence[tuple[Case, Sequence[Reply]]], hidden: Hidden, environment: Mapping[str, str]
) -> tuple[SeenCall, ...]:
    """Every operation of AWS that was seen, while loading too, each once, in order of service, action and resource."""
    effects = (effect for _, several in replies for reply in several for effect in (*reply.loading, *reply.effects))
    found = {call for effect in effects if effect.service not in _BESIDE_AWS for call in _calls(effect, environment)}
    shown = {
        SeenCall(
            service=one.service, action=one.action, resource=hidden.secrets_out(one.resource), variable=one.variable
        )
        for one in found
    }
    return tuple(sorted(shown, key=lambda one: (one.service, one.action, one.resource, one.variable)))


def _calls(effect: Effect, environment: Mapping[str, str]) -> Iterator[SeenCall]:
    for resource in effect.detail.removesuffix(_CUT.strip()).rstrip().split(", "):
        yield SeenCall(
            service=effect.service,
            action=effect.operation,
            resource=resource,
            variable=_variable(resource, environment),
        )


def _variable(resource: str, environment: Mapping[str, str]) -> str:
    """The variable whose value is this resource, or ends with its name."""
    if not resource:
        return ""
    ends = (f"/{resource}", f":{resource}")
    exact = (name for name, value in sorted(environment.items()) if value == resource)
    return next(exact, "") or next((name for name, value in sorted(environment.items()) if value.endswith(ends)), "")
