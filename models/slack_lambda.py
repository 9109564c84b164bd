#!/usr/bin/env python3
"""The model in slack-lambda.yaml as a pytm model, under pytm's own command line.

For example ``python models/slack_lambda.py --dfd | dot -Tpng -o dfd.png``; ``--help`` lists the rest.  `--report`
takes ``md``, ``html`` or the path of a template.
"""

import datetime
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

try:
    from threatmodel.assess import assess
    from threatmodel.files import Files
    from threatmodel.graph import build
    from threatmodel.library.load import load_library
    from threatmodel.model.load import load_model
    from threatmodel.problems import InputError, shown
    from threatmodel.pytm_model.model import ThreatModel, to_pytm
except ModuleNotFoundError as error:
    if (error.name or "").startswith("threatmodel"):
        raise
    sys.exit(
        f"slack_lambda.py: the package '{error.name}' is missing; run python3 dev.py setup, then use .venv/bin/python"
    )


def threat_model(files: Files, path: Path = HERE / "slack-lambda.yaml") -> ThreatModel:
    """The pytm model of a model file, assessed as of today.  Raises InputError."""
    graph = build(load_model(files, path))
    library = load_library(HERE.parent / "threatlib", files)
    assessment = assess(graph, library, datetime.datetime.now().astimezone().date())

    def report(template: str) -> str:
        from threatmodel.render.report import report

        return report(assessment, template)

    return to_pytm(graph, library, assessment, report)


def main() -> int:
    """Runs pytm's command line; 2 where the input cannot be used."""
    files = Files()
    try:
        threat_model(files).process()
        sys.stdout.flush()
    except InputError as error:
        sys.stderr.write(shown(error.problems, files.texts) + "\n")
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        sys.stderr.write(f"slack_lambda.py: {error.filename or 'standard output'}: {error.strerror}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
