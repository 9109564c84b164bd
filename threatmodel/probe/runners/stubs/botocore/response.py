"""The body of an answer, read like a file."""

from __future__ import annotations

import io
from collections.abc import Iterator


class StreamingBody(io.BytesIO):
    """Bytes of an answer."""

    def iter_lines(self) -> Iterator[bytes]:
        """The lines."""
        return iter(self.read().splitlines())
