"""What an insider may try: nothing that gets weaker stays proven, and what is known to get through is told."""

from __future__ import annotations

import pytest

from scripts.attacks import PAGE, Attack, attacks, page, run, table

ATTACKS = attacks()


def _tier(at: int) -> tuple[pytest.MarkDecorator, ...]:
    """Every twelfth attempt in the quick tests, every fourth in the suite, all of them with `long`."""
    return (pytest.mark.long,) if at % 4 else (pytest.mark.slow,) if at % 12 else ()


@pytest.mark.parametrize(
    "attack",
    [pytest.param(one, id=one.id, marks=_tier(at)) for at, one in enumerate(ATTACKS)],
)
def test_what_is_weaker_is_not_called_proven(attack: Attack) -> None:
    outcome = run(attack)
    assert outcome.as_expected, table([outcome])


def test_attempts_are_told_apart() -> None:
    names = [one.id for one in ATTACKS]
    assert len(set(names)) == len(names)
    assert all(one.falls or one.stays for one in ATTACKS)


def test_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(ATTACKS)
