"""The examples, run for real: one is proven, one is not, and the page's table is what the probe says of both."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.probe.acting import options
from tests.probe.judged import SOUND
from tests.support import HOME
from threatmodel.library.load import load_library
from threatmodel.probe.probing import probe
from threatmodel.probe.result import Result, to_json
from threatmodel.probe.runners.target import runner_for
from threatmodel.probe.variables import variables
from threatmodel.render.probe import controls_shown, exit_code, probed

pytestmark = pytest.mark.slow

EXAMPLE = HOME / "examples" / "slack-app"
LIBRARY = load_library(HOME / "threatlib")
README = HOME / "README.md"
PAGE = HOME / "docs" / "probe.md"
LAST_LINES = re.compile(r"^(\$ python tm\.py probe (\S+) [^\n]*\| tail -2\n)[^\n]+\n[^\n]+$", re.MULTILINE)
TABLE = re.compile(r"(?<=<!-- probes -->\n).*?(?=<!-- /probes -->)", re.DOTALL)


@pytest.fixture(scope="module")
def example() -> Result:
    environment = variables((EXAMPLE / "probe.env").read_text(encoding="utf-8"), "probe.env")
    target = str(EXAMPLE / "app.py")
    given = options(target="examples/slack-app/app.py", environment=environment)
    return probe(runner_for(target, environment=environment), given)


@pytest.fixture(scope="module")
def article() -> Result:
    if shutil.which("node") is None:
        pytest.skip("Node.js is not here")
    target = str(HOME / "examples" / "article" / "handler.js")
    given = options(target="examples/article/handler.js", kind="node")
    return probe(runner_for(target, provide=["aws-sdk"]), given)


def node_major() -> int:
    found = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return int(found.stdout.removeprefix("v").partition(".")[0])


def test_the_example_is_proven(example: Result, golden: Callable[[str, str], None]) -> None:
    assert example.decided == SOUND
    assert exit_code(example) == 0
    golden("probe/good.txt", probed(example, controls_shown(example, LIBRARY)))
    golden("probe/good.probe.json", to_json(example))


def test_the_article_s_handler_is_not(article: Result, golden: Callable[[str, str], None]) -> None:
    assert exit_code(article) == 2
    assert True not in article.decided.values()
    if node_major() < 24:  # later ones refuse the handler for its three parameters before it runs
        golden("probe/article.txt", probed(article, controls_shown(article, LIBRARY)))


def test_the_page_shows_both(request: pytest.FixtureRequest, example: Result, article: Result) -> None:
    rows: dict[str, list[str]] = {}
    for result in (example, article):
        for row in result.rows:
            if row.level == "required":
                outcome = {"passed": "pass", "failed": "**FAIL**"}.get(row.outcome, row.outcome)
                rows.setdefault(row.title, []).append(outcome)
    lines = ["| what is asked | the reference | the article's |", f"| --- |{' --- |' * 2}"]
    lines += [f"| {title} | {' | '.join(outcomes)} |" for title, outcomes in rows.items()]
    table = "\n".join(lines) + "\n"
    text = PAGE.read_text(encoding="utf-8")
    if request.config.getoption("--update-golden"):
        PAGE.write_text(TABLE.sub(lambda _: table, text), encoding="utf-8")
    (shown,) = TABLE.findall(PAGE.read_text(encoding="utf-8"))
    assert shown == table


def test_readme_ends_both_runs_as_they_end(request: pytest.FixtureRequest, example: Result, article: Result) -> None:
    both = {one.target: probed(one, controls_shown(one, LIBRARY)) for one in (example, article)}
    ends = {target: "\n".join(text.splitlines()[-2:]) for target, text in both.items()}
    text = README.read_text(encoding="utf-8")
    written = LAST_LINES.sub(lambda found: f"{found[1]}{ends[found[2]]}", text)
    if request.config.getoption("--update-golden"):
        README.write_text(written, encoding="utf-8")
    assert [found[2] for found in LAST_LINES.finditer(text)] == list(ends)
    assert README.read_text(encoding="utf-8") == written


def test_lines_fit_a_terminal(example: Result, article: Result) -> None:
    for result in (example, article):
        assert max(map(len, probed(result, controls_shown(result, LIBRARY)).splitlines())) <= 100
