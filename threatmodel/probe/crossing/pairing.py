"""Every pair of a name and a value, in few requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

MOST = 160
"""Requests in which a product is crossed; a larger one is made of several names at once."""


def paired(names: Sequence[str], values: Sequence[str], most: int = MOST) -> Iterator[Mapping[str, str]]:
    """Yield names with values so that each name has each value once.

    Each pair is alone where the product is small.  Else several names share a request, each with another value, so that
    no value of one name hides what the same value of another would do.
    """
    if not names or not values:
        return
    together = -(-len(names) * len(values) // most)
    for first in range(0, len(names), together):
        group = names[first : first + together]
        for shift in range(len(values)):
            yield {name: values[(at + shift) % len(values)] for at, name in enumerate(group)}
