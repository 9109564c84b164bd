"""What follows from facts of a function alone: what its role allows, who may call it, what its package contains."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from threatmodel.model.facts import Fact, Facts, either, known

_WIDE = ("role_wildcard_action", "role_broad_policy", "role_can_escalate", "role_assumes_roles")


def _role_excess_narrow(facts: Facts) -> Fact | None:
    """Known to be so only where all that could make the role wide is known not to."""
    everywhere = _truth(facts, "role_wildcard_resource")
    wide = max(min(everywhere, _truth(facts, "role_wildcard_beyond_polling")), *(_truth(facts, name) for name in _WIDE))
    excess = max(_truth(facts, "role_reaches_unused"), everywhere)
    truth = min(excess, -wide, -_truth(facts, "role_shared"))
    names = ("role_reaches_unused", "role_wildcard_resource", "role_wildcard_beyond_polling", "role_shared", *_WIDE)
    said = [facts[name].said for name in names if abs(_truth(facts, name)) >= max(1, abs(truth))]
    return known(truth > 0, said) if truth else None


_INLINE = ("python", "nodejs")
"""The runtimes whose code may be in a template (AWS::Lambda::Function Code, ZipFile)."""


def _carries_packages(facts: Facts) -> Fact | None:
    inline, image, runtime = (facts.get(name) for name in ("code_inline", "package_format", "runtime"))
    archive = None if inline is None or not inline.size else known(not inline.value, [inline.said])
    built = [
        known(value=True, said=[fact.said])
        for fact, is_built in ((image, _is_image), (runtime, _is_never_inline))
        if fact is not None and fact.size and is_built(fact.value)
    ]
    return either([archive, facts.get("uses_layers"), *built])


def _is_image(package_format: str) -> bool:
    return package_format == "image"


def _is_never_inline(runtime: str | None) -> bool:
    return runtime is None or not runtime.startswith(_INLINE)


_MORE = (*_WIDE, "role_reaches_unused", "role_wildcard_resource", "role_shared")


def _role_opens_more(facts: Facts) -> Fact | None:
    return either([facts.get(name) for name in _MORE])


def _truth(facts: Facts, name: str) -> int:
    """How well a flag is known, with a minus where it is false."""
    fact = facts.get(name)
    return 0 if fact is None else fact.size if fact.value else -fact.size


def _invoked_for_outsiders(facts: Facts) -> Fact | None:
    """A source that is not pinned may belong to any account, unless it is known that its account is named."""
    pinned, owned = (facts.get(name) for name in ("invoke_source_pinned", "invoke_source_owned"))
    if pinned is None or not pinned.size:
        return None
    if pinned.value or owned is None or not owned.value:
        return known(not pinned.value, [pinned.said])
    return known(value=False, said=[owned.said])


OWN: Mapping[str, Callable[[Facts], Fact | None]] = {
    "role_excess_narrow": _role_excess_narrow,
    "role_over_privileged": _role_opens_more,
    "carries_packages": _carries_packages,
    "invocable_from_any_account": _invoked_for_outsiders,
}
"""What computes each fact, by its name, from those that are stated."""
