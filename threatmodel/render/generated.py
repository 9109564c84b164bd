"""The toolkit's own templates as the Python that Jinja makes of them, made when the toolkit is built or set up."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from threatmodel.reading import compiled
from threatmodel.reading.home import TEMPLATES

TABLE = "templates"


@cache
def generated(folder: Path = compiled.FOLDER) -> Mapping[str, str]:
    """Return the Python for each template by its name; nothing where a folder has no table of these templates."""
    text = compiled.found(TABLE, _key(), folder)
    with contextlib.suppress(ValueError):
        found = json.loads(text or "{}")
        if isinstance(found, dict):
            return found
    return {}


def table(generate: Callable[[str, str], str]) -> str:
    """Return the content of the table's file; `generate` makes Python of a template's name and source."""
    made = {path.name: generate(path.name, path.read_text(encoding="utf-8-sig")) for path in _templates()}
    return compiled.with_key(_key(), json.dumps(made))


def _key() -> str:
    import jinja2

    folder = Path(jinja2.__file__).parent
    files = [*_templates(), *(folder / f"{part}.py" for part in ("lexer", "parser", "compiler", "sandbox"))]
    return compiled.key(["render/templates.py"], [(path.name, path.read_bytes()) for path in files])


def _templates() -> list[Path]:
    return sorted(path for path in TEMPLATES.iterdir() if path.is_file())
