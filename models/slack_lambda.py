#!/usr/bin/env python3
"""The model in slack-lambda.yaml as a pytm model, under pytm's own command line.

For example ``python models/slack_lambda.py --dfd | dot -Tpng -o dfd.png``; ``--help`` lists the rest.  `--report`
takes ``md``, ``html`` or the path of a template.
"""

import contextlib
import io
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

try:
    from pytm.pytm import get_args

    from threatmodel import (
        Files,
        InputError,
        Place,
        Problem,
        assess,
        load_library,
        load_model,
        render_problems,
        to_pytm,
    )
except ModuleNotFoundError as error:
    if (error.name or "").startswith("threatmodel"):
        raise
    if sys.stderr is not None:
        fix = "run python3 dev.py setup, then use .venv/bin/python"
        sys.stderr.write(f"slack_lambda.py: the package '{error.name}' is missing; {fix}\n")
    sys.exit(2)
except KeyboardInterrupt:
    sys.exit(130)


def run(files: Files) -> None:
    """Does what pytm's options ask for, as of today.  Raises InputError."""
    asked = get_args()
    library = load_library(files=files, base=HERE.parent / "threatlib")
    model = load_model(HERE / "slack-lambda.yaml", files, library=library)
    excluded = [name.strip() for name in (asked.exclude or "").split(",") if name.strip()]
    assessment = assess(model, library, excluded=excluded)
    if asked.json and files.has_read(Path(asked.json)):
        place = Place(f"output {asked.json}")
        raise InputError([Problem(code="unwritable-file", place=place, message="this run reads it")])
    to_pytm(model, library, assessment).process()


def main() -> int:
    """Runs pytm's command line; 2 where the input cannot be used, or what it says cannot be written."""
    if sys.stdout is None:
        return failed("slack_lambda.py: standard output is closed\n")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    files = Files(HERE.parent)
    try:
        run(files)
        sys.stdout.flush()
    except InputError as error:
        return failed(render_problems(error, files))
    except BrokenPipeError:
        silence()
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        silence()
        return failed(f"slack_lambda.py: {error.filename or 'standard output'}: {error.strerror}\n")
    return 0


def failed(message: str) -> int:
    """Says what is wrong where that is possible; the exit code for it."""
    with contextlib.suppress(AttributeError, OSError):  # a closed standard error must not hide the exit code
        sys.stderr.write(message)
        sys.stderr.flush()
    return 2


def silence() -> None:
    """Nothing more goes to an output that cannot take it, not even when Python ends."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
