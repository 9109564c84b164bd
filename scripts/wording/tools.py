"""The maintained linter for spelling: codespell, which reads all texts in one run."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence

import yaml

from scripts.wording.hits import Text
from scripts.wording.rules import TABLE, Found

DICTIONARIES = "clear,rare,usage,en-GB_to_en-US"
SPELLED = re.compile(r"^(\d+): .*\n\t(.*) ==> (.*)$", re.MULTILINE)


def codespell(texts: Sequence[Text]) -> Iterator[tuple[Text, Found]]:
    """Yield the words that codespell knows a better spelling or term of; `X`, `CODE` and `URL` are none."""
    ignored = ",".join(yaml.safe_load(TABLE.read_text(encoding="utf-8"))["spelled"])
    options = ["--builtin", DICTIONARIES, "--ignore-words-list", ignored, "-"]
    done = ran([sys.executable, "-m", "codespell_lib", *options], lines(texts), accepted=(0, 65))
    for number, wrong, right in SPELLED.findall(done):
        yield texts[int(number) - 1], Found(rule="spelling", found=wrong, write=right.strip())


def lines(texts: Sequence[Text]) -> str:
    """Return the texts, one a line."""
    return "".join(" ".join(text.text.split()) + "\n" for text in texts)


def ran(command: list[str], text: str, *, accepted: tuple[int, ...]) -> str:
    """Return what a tool prints about a text; raises RuntimeError where it fails."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode not in accepted:
        raise RuntimeError(f"{' '.join(command[:3])} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
