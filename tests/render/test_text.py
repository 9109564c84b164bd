"""Whatever a text holds, it stays text in every format."""

import html as python_html
import re
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from threatmodel.render.text import dot, dot_html, html, markdown, mermaid, one_line, plantuml

FRAGMENTS = [
    *("*", "**", "_", "__", "`", "```", "~~", "~", "[", "](", ")", "![", "|", "\\", "\\\\", "<", ">", "<!--", "-->"),
    *("&", "&lt;", "&#60;", "&amp;", "#", "# ", "## ", "- ", "+ ", "1. ", "12) ", "=", "---", "===", "> ", "    "),
    *("\t", "\n", "\r\n", "\u2028", "\x85", "\x00", "\x1b[31m", "\u202e", "\u200b", "\ufeff", "\ufffe", "\ud800"),
    *("javascript:alert(1)", "https://x.example/a", "www.x.example", "<b>", "</b>", "<script>", "<br/>", "<https://x>"),
    *('"', "'", ";", ":", "%%", "%%{init: {}}%%", "{", "}", "$", "$$", "end", "note", "as", "@enduml", "!include x"),
    *("[[http://x y]]", "<img:x>", "<&x>", "<U+202E>", "#35;", "\ufb02\xb0", "/'", "'/", "//", "--", "->", "->>"),
    *("a", "bc", " ", "order-bot", "日本", "\U0001f642", "é", "\U000e0041"),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=8).map("".join)
EVERY = pytest.mark.parametrize("escape", [html, markdown, dot, dot_html, plantuml, mermaid])


@EVERY
@pytest.mark.parametrize("plain", ["order-bot", "Slack platform", "a, b (c)", "Grüße", "мир", "v1.2", "x · y", "日本"])
def test_ordinary_names_stay_as_they_are(escape: Callable[[str], str], plain: str) -> None:
    assert escape(plain) == plain


@EVERY
@given(text=TEXTS)
def test_every_format_gets_one_line_that_can_be_written(escape: Callable[[str], str], text: str) -> None:
    found = escape(text)
    assert len(found.splitlines()) <= 1
    assert not [c for c in found if unicodedata.category(c) in {"Cc", "Cs"} or c in "\u202e\u200b\ufeff\ufffe"]
    found.encode()


@given(text=TEXTS)
def test_what_cannot_be_seen_is_spelt_out_once(text: str) -> None:
    assert one_line(one_line(text)) == one_line(text)


def test_line_breaks_become_blanks_and_directions_become_words() -> None:
    assert one_line("a\r\nb\u202ec\ud800") == "a b<U+202E>c<U+D800>"


# --- HTML


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(text=TEXTS)
def test_html_is_text_in_elements_and_attributes(text: str) -> None:
    page = Page(f"<p title=\"{html(text)}\" id='{html(text)}'>{html(text)}</p>")
    assert page.elements == [("p", [("title", one_line(text)), ("id", one_line(text))])]
    assert page.text == one_line(text)


# --- Markdown

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
PLACES = {
    "paragraph": ("{}\n", ["paragraph"]),
    "under a line": ("x\n{}\n", ["paragraph"]),
    "heading": ("## {}\n", ["heading"]),
    "list": ("- {}\n", ["bullet_list", "list_item", "paragraph"]),
    "cell": ("| a | b |\n|---|---|\n| {} | z |\n", ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]),
}
AROUND = {"under a line": ("x", ""), "cell": ("ab", "z")}
INLINE = {"text", "softbreak"}


@pytest.mark.parametrize("place", PLACES)
@given(text=TEXTS)
def test_markdown_is_text_wherever_it_stands(place: str, text: str) -> None:
    template, blocks = PLACES[place]
    source = template.format(markdown(text))
    tokens = PARSER.parse(source)
    if one_line(text).strip():
        assert [token.type.removesuffix("_open") for token in tokens if token.nesting == 1] == blocks
    inline = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inline} <= INLINE, source
    found = "".join(child.content for child in inline if child.type == "text")
    before, behind = AROUND.get(place, ("", ""))
    assert found == before + one_line(text).strip() + behind


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a snake_case name", "a snake_case name"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("R&D: 20 USD a day (C#, F#)", "R&D: 20 USD a day (C#, F#)"),
        ("s3:* or *", r"s3:\* or \*"),
        ("a|b", r"a\|b"),
        ("_private_", r"\_private\_"),
        ("<b>", r"\<b>"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("see https://x.example and www.x.example", r"see https\://x.example and www\.x.example"),
        ("# 1", r"\# 1"),
        ("1. first", r"1\. first"),
        ("- item", r"\- item"),
    ],
)
def test_markdown_is_escaped_only_where_it_means_something(text: str, want: str) -> None:
    assert markdown(text) == want


# --- Graphviz


@given(text=TEXTS)
def test_dot_reads_a_quoted_text_as_it_is(text: str) -> None:
    inside = dot(text)
    assert re.fullmatch(r'(?:[^"\\]|\\["\\])*', inside)
    assert python_html.unescape(re.sub(r"\\(.)", r"\1", inside)) == one_line(text)


@given(text=TEXTS)
def test_a_label_of_graphviz_is_html_with_doubled_backslashes(text: str) -> None:
    assert dot_html(text) == html(text).replace("\\", "\\\\")


# --- sequence diagrams


@given(text=TEXTS)
def test_plantuml_spells_its_markup_as_characters(text: str) -> None:
    found = plantuml(text)
    left = re.sub(r"<U\+[0-9A-F]{4,6}>", "x", found)
    assert not re.search(r"""[<>\[\]{}"'~*\\|%$!#&@;`^=]|--|__|\.\.|//""", left)
    assert re.sub(r"<U\+([0-9A-F]{4,6})>", lambda code: chr(int(code[1], 16)), found) == one_line(text)


@given(text=TEXTS)
def test_mermaid_spells_its_markup_as_characters(text: str) -> None:
    found = mermaid(text)
    left = re.sub(r"#[0-9]+;", "x", found)
    assert not re.search(r"""[<>\[\]{}"\\|%$#&@;:`~^\ufb02]|--""", left)
    assert re.sub(r"#([0-9]+);", lambda code: chr(int(code[1])), found) == one_line(text)
