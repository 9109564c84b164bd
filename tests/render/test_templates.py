"""Templates of users are untrusted: every attack ends as a problem at a line, soon, and without harm."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from threatmodel.reading.home import TEMPLATES
from threatmodel.reading.problems import InputError, Problem
from threatmodel.render.templates import (
    LIMITS,
    TemplateLimits,
    environment_variables,
    format_of,
    render_own,
    render_users,
)

TIGHT = TemplateLimits(seconds=3, memory=512 * 1024 * 1024, output=1_000_000)
CONTEXT: dict[str, Any] = {"name": "<b>Bot</b> & *co*", "numbers": [1, 2, 3], "row": {"id": "order-bot"}}


def rendered(folder: Path, text: str, name: str = "own.html.j2", limits: TemplateLimits = LIMITS) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return render_users(path, CONTEXT, limits)


def refused(folder: Path, text: str, name: str = "own.html.j2", limits: TemplateLimits = TIGHT) -> Problem:
    with pytest.raises(InputError) as raised:
        rendered(folder, text, name, limits)
    (problem,) = raised.value.problems
    assert problem.code == "template-error"
    assert "Traceback" not in problem.message
    assert "\n" not in problem.message
    return problem


# --- what works


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.md", "markdown"),
        ("a.md.j2", "markdown"),
        ("A.MD.J2", "markdown"),
        ("a.txt", "text"),
        ("a.txt.j2", "text"),
        ("a.html.j2", "html"),
        ("a.j2", "html"),
        ("a", "html"),
        ("a.md.html", "html"),
    ],
)
def test_the_name_of_a_template_says_what_it_makes(name: str, kind: str) -> None:
    assert format_of(name) == kind


def test_html_is_escaped_and_text_is_not(tmp_path: Path) -> None:
    assert rendered(tmp_path, "{{ name }}") == "&lt;b&gt;Bot&lt;/b&gt; &amp; *co*"
    assert rendered(tmp_path, "{{ name }}", "own.txt.j2") == "<b>Bot</b> & *co*"


def test_a_template_of_any_name_can_be_used(tmp_path: Path) -> None:
    assert rendered(tmp_path, "{{ row.id }}", ".own") == "order-bot"


def test_a_template_may_use_its_neighbours_and_ours(tmp_path: Path) -> None:
    (tmp_path / "part.html.j2").write_text("part of {{ row.id }}", encoding="utf-8")
    text = '{% include "part.html.j2" %} {% from "macros.html.j2" import chip %}{{ chip("low") }}'
    assert rendered(tmp_path, text) == 'part of order-bot <span class="chip low">low</span>'


def test_a_link_to_a_template_elsewhere_is_the_template(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "own.html.j2").write_text("{{ row.id }}", encoding="utf-8")
    (tmp_path / "link.html.j2").symlink_to(tmp_path / "real" / "own.html.j2")
    assert render_users(tmp_path / "link.html.j2", CONTEXT) == "order-bot"


def test_own_templates_are_found_by_name(tmp_path: Path) -> None:
    assert tmp_path.exists()
    assert "chip" in (TEMPLATES / "macros.html.j2").read_text(encoding="utf-8")
    assert render_own("macros.html.j2", {}).strip() == ""


# --- mistakes, at their line


def test_a_missing_template_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        render_users(tmp_path / "markdwon", CONTEXT)
    (problem,) = raised.value.problems
    assert problem.message == "there is no such template"
    assert "md and html" in problem.hint


def test_a_folder_is_no_template(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a file"):
        render_users(tmp_path, CONTEXT)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\n{% for %}", 2, "Expected"),
        ("a\n\n{{ nmae }}", 3, "'nmae' is undefined"),
        ("a\n{{ row.nmae }}", 2, "has no attribute 'nmae'"),
        ("{{ 1 / 0 }}", 1, "ZeroDivisionError"),
        ("\n{{ numbers + 1 }}", 2, "TypeError"),
        ("\n{% include 'gone.j2' %}", 2, "no template 'gone.j2'"),
        ("{{ name | nofilter }}", 1, "nofilter"),
        ("{{ name | int(base=99) }}{{ name.encode('nonsense') }}", 1, "nonsense"),
        ("{{ '\\ud800' }}", 1, "surrogates"),
    ],
)
def test_a_mistake_is_shown_at_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    problem = refused(tmp_path, text)
    assert message in problem.message
    assert problem.place.line == line
    assert problem.place.file.endswith("own.html.j2")


def test_the_first_line_is_named_too(tmp_path: Path) -> None:
    assert refused(tmp_path, "{{ nmae }}").message == "line 1: 'nmae' is undefined"
    assert not refused(tmp_path, "\n{{ nmae }}").message.startswith("line")


def test_code_of_any_text_is_escaped_first(tmp_path: Path) -> None:
    text = "{{ '`<b>` & `x' | code }}"
    assert rendered(tmp_path, text) == "<code>&lt;b&gt;</code> &amp; `x"
    assert rendered(tmp_path, text, "own.txt.j2") == "`<b>` & `x"


def test_a_mistake_in_an_included_template_is_shown_there(tmp_path: Path) -> None:
    (tmp_path / "part.html.j2").write_text("\n\n{{ nmae }}", encoding="utf-8")
    problem = refused(tmp_path, '{% include "part.html.j2" %}')
    assert problem.place.file.endswith("part.html.j2")
    assert problem.place.line == 3


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "own.html.j2").write_bytes(b"\xff\xfe{{ name }}")
    with pytest.raises(InputError, match="template-error"):
        render_users(tmp_path / "own.html.j2", CONTEXT, TIGHT)


# --- attacks


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ name.__class__.__mro__[1].__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ joiner.__init__.__globals__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ name | attr('__class__') }}",
        "{{ numbers | map(attribute='__class__') | first }}",
        "{{ '{0.__class__}'.format(name) }}",
        "{{ '{0.__class__}' | format(name) }}{{ ('%s' | format(name)).__class__ }}",
        "{{ name.format_map({}).__class__ }}",
        "{{ range.__self__ }}",
        "{{ numbers.append(4) }}",
        "{{ row.update({'id': 1}) }}",
        "{{ row.clear() }}",
        "{% do numbers.append(1) %}",
        "{{ config }}",
        "{{ lipsum() }}",
        "{{ open('/etc/passwd').read() }}",
        "{% import 'os' as os %}{{ os }}",
    ],
)
def test_python_is_out_of_reach(tmp_path: Path, text: str) -> None:
    refused(tmp_path, text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for i in range(99999) %}" * 3 + "{% endfor %}" * 3,
        "{{ 'a' * 10**10 }}",
        "{{ 'a' * 10**8 }}",
        '{{ "%1000000000d" | format(1) }}',
        '{{ "%0*d" | format(1000000000, 1) }}',
        "{{ ''.ljust(10**10) }}",
        "{{ 'x'.center(10**9) }}",
        "{{ 'x' | center(10**9) }}",
        "{{ 'x' | indent(10**9) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ 10 ** (10 ** 10) }}",
        "{{ (10 ** 10000000) | string }}",
        "{{ numbers * 10**9 }}",
        "{% set n = namespace(x='aaaa') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
        "{{ name | replace('', 'a' * 10**6) | replace('a', 'b' * 10**6) }}",
        "{{ numbers | batch(10**9, 1) | list }}",
        "{{ 'a' | wordwrap(0) }}",
        "{% include 'own.html.j2' %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% extends 'own.html.j2' %}",
        "{% for x in [[[]]] recursive %}{{ loop([x]) }}{% endfor %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ " + "-" * 20000 + "1 }}",
        "{{ " + "1 + " * 20000 + "1 }}",
        "{% if 1 %}" * 3000 + "{% endif %}" * 3000,
    ],
)
def test_nothing_takes_for_ever_or_all_memory(tmp_path: Path, text: str) -> None:
    used = seconds_of_children()
    refused(tmp_path, text, limits=replace(TIGHT, seconds=1))
    assert seconds_of_children() - used < 2


def seconds_of_children() -> float:
    """Processor time of all child processes that have ended."""
    told = os.times()
    return told.children_user + told.children_system


@pytest.mark.slow
def test_what_is_endless_is_ended(tmp_path: Path) -> None:
    endless = "{% for i in range(99999) %}" * 3 + "{% endfor %}" * 3
    problem = refused(tmp_path, endless, limits=replace(TIGHT, seconds=1))
    assert problem.message == "it used the processor for more than 1 seconds"


@pytest.mark.parametrize(
    "name",
    [
        "../../../../../../../../etc/passwd",
        "/etc/passwd",
        "../secret.txt",
        "sub/../../secret.txt",
        "..\\\\secret.txt",
        "escape.txt",
        ".env",
        ".hidden/part.txt",
        "key.pem",
        "folder.txt",
        "nul\\0.txt",
        "fifo.txt",
    ],
)
def test_files_elsewhere_are_out_of_reach(tmp_path: Path, name: str) -> None:
    own = tmp_path / "own"
    (own / "folder.txt").mkdir(parents=True)
    (own / ".hidden").mkdir()
    for path in (tmp_path / "secret.txt", own / ".env", own / ".hidden" / "part.txt", own / "key.pem"):
        path.write_text("a secret", encoding="utf-8")
    (own / "escape.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(own / "fifo.txt")
    problem = refused(own, f'{{% include "{name}" %}}')
    assert "there is no template" in problem.message
    assert "templates/" in problem.hint


def test_the_child_gets_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    assert set(environment_variables()) <= {"PYTHONPATH", "PYTHONUTF8", "SYSTEMROOT"}


def test_a_module_beside_the_template_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jinja2.py").write_text("raise SystemExit('taken over')", encoding="utf-8")
    (tmp_path / "threatmodel.py").write_text("raise SystemExit('taken over')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert rendered(tmp_path, "{{ 'fine' }}") == "fine"


def test_a_large_result_is_refused(tmp_path: Path) -> None:
    problem = refused(tmp_path, "{% for i in range(9999) %}{{ 'a' * 999 }}{% endfor %}")
    assert "larger than 1 MB" in problem.message


@pytest.mark.parametrize("text", ["# Notes\n", "name: shop\nfunctions: {}\n", ""])
def test_a_file_without_an_expression_is_no_template(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.md"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="no template expression") as caught:
        render_users(path, {})
    assert "-o FILE" in caught.value.problems[0].hint
