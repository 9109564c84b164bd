#!/usr/bin/env python3
"""The model in slack-lambda.yaml as a pytm model, under pytm's own command line.

For example ``python models/slack_lambda.py --dfd | dot -Tpng -o dfd.png``; ``--help`` lists the rest.  `--report`
takes ``md``, ``html`` or the path of a template.
"""

import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

try:
    from pytm.pytm import get_args

    from threatmodel import Files, InputError, Place, Problem, assess
    from threatmodel.api import weighed
    from threatmodel.command.arguments import names
    from threatmodel.library.load import load_library
    from threatmodel.pytm_model.model import ThreatModel, to_pytm
    from threatmodel.reading.files import has_read
    from threatmodel.reading.output import StreamError, complain, flush, prepare_streams, silence
    from threatmodel.reading.problems import shown
except ModuleNotFoundError as error:
    if (error.name or "").startswith("threatmodel"):
        raise
    if sys.stderr is not None:
        fix = "run python3 dev.py setup, then use .venv/bin/python"
        sys.stderr.write(f"slack_lambda.py: the package '{error.name}' is missing; {fix}\n")
    sys.exit(2)
except KeyboardInterrupt:
    sys.exit(130)


def threat_model(files: Files, path: Path = HERE / "slack-lambda.yaml", excluded: Sequence[str] = ()) -> ThreatModel:
    """The pytm model of a model file, assessed as of today without the threats `excluded`.  Raises InputError."""
    today = datetime.datetime.now().astimezone().date()
    library = load_library(HERE.parent / "threatlib", files)
    graph = weighed(path, files, today, lambda *_: library)
    assessment = assess(graph, library, today=today, excluded=excluded)

    def report(template: str) -> str:
        from threatmodel.render.report.report import report

        return report(assessment, template)

    return to_pytm(graph, library, assessment, report)


def refuse_overwriting(files: Files, name: str | None) -> None:
    """Raises InputError where a result would replace a file that it is made from."""
    if name and has_read(files.paths, Path(name)):
        raise InputError([Problem(code="unwritable-file", place=Place(f"output {name}"), message="this run reads it")])


def main() -> int:
    """Runs pytm's command line; 2 where the input cannot be used."""
    prepare_streams()
    files = Files(HERE.parent)
    try:
        asked = get_args()
        model = threat_model(files, excluded=names(asked.exclude or ""))
        refuse_overwriting(files, asked.json)
        model.process()
        flush()
    except InputError as error:
        complain(shown(error.problems, files.read) + "\n")
        return 2
    except BrokenPipeError:
        silence(sys.stdout)
    except KeyboardInterrupt:
        return 130
    except StreamError as error:
        complain(f"slack_lambda.py: standard output: {error}\n")
        return 2
    except OSError as error:
        silence(sys.stdout)
        complain(f"slack_lambda.py: {error.filename or 'standard output'}: {error.strerror}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
