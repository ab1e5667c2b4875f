"""Comments silence what they name, and those that silence nothing are found."""

from __future__ import annotations

import pytest

from trainlint.core.config import Config, Selection, resolve
from trainlint.core.fix import apply_fixes
from trainlint.static.engine import lint_bytes

HEAD = """\
import torch.nn.functional as F


def f(net, x, y):
    p = F.softmax(net(x), dim=1)
"""


@pytest.fixture(scope="module")
def lint(catalogue):
    """Return a function that lints with the rules that are on and `unused-suppression`."""

    def report(code, **selection):
        selection = selection or {"extend_select": ("TL001",)}
        settings = resolve(catalogue, Config(selection=Selection("a test", **selection)))
        return lint_bytes("f.py", code.encode(), settings).diagnoses

    return report


def of_line(lint, line, **selection):
    """Return the codes of the diagnoses of a cross-entropy line that breaks TL301."""
    return [one.code for one in lint(f"{HEAD}    {line}\n", **selection)]


LOSS = "F.cross_entropy(p, y)"


def test_without_a_comment_the_rule_speaks(lint):
    assert of_line(lint, LOSS) == ["TL301"]


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa: TL301",
        "#noqa:TL301",
        "# NoQA: tl301",
        "# noqa : TL301",
        "# noqa: E501, TL301",
        "# noqa: E501,TL301",
        "# noqa: E501 TL301",
        "# noqa: TL301 the paper does so",
        "# noqa: softmax-before-cross-entropy",
        "# noqa",
        "# noqa TL301 without a colon is a bare one",
        "# type: ignore # noqa: TL301",
        "# noqa: E501 # noqa: TL301",
        "# the paper does so  # noqa: TL301",
        "# trainlint: ignore[softmax-before-cross-entropy]",
        "# trainlint: ignore[softmax-before-cross-entropy] the paper does so",
        "# trainlint: ignore[TL301]",
        "# trainlint:ignore[ tl301 ]",
        "# trainlint: ignore[TL301",
        "# trainlint: ignore",
        "# trainlint: ignore the paper does so",
        "# type: ignore[attr-defined]  # trainlint: ignore[TL301]",
        "# trainlint: file-ignore[TL301] the paper does so",
        "# trainlint: file-ignore",
    ],
)
def test_a_comment_silences_the_rule_that_it_names(lint, comment):
    assert of_line(lint, f"{LOSS}  {comment}") == []


@pytest.mark.parametrize(
    ("comment", "messages"),
    [
        ("# noqa: TL302", ["`TL302` silences nothing here"]),
        ("# noqa: TL3O1", []),
        ("# noqa: TL399", ["`TL399` is the name or code of no rule"]),
        ("# noqa: E501", []),
        ("# nqa: TL301", []),
        ("# trainlint: ignore[TL302]", ["`TL302` silences nothing here"]),
        (
            "# trainlint: ignore[softmax-before-crossentropy]",
            ["`softmax-before-crossentropy` is the name or code of no rule; did you mean"],
        ),
        ("# trainlint: ignore[]", ["the comment names no rule and silences nothing"]),
        ("# trainlint: ignroe[TL301]", ["`trainlint: ignroe` is no comment that trainlint knows"]),
        ("# trainlint: [TL301]", ["`trainlint: …` is no comment that trainlint knows"]),
        ("# trainlint: file-ignore[TL302]", ["`TL302` silences nothing here"]),
        (
            "# trainlint: ignore[TL302, nonsense]",
            ["`TL302` silences nothing here", "`nonsense` is the name or code of no rule"],
        ),
    ],
)
def test_a_comment_that_silences_nothing_is_diagnosed(lint, comment, messages):
    loss, *rest = lint(f"{HEAD}    {LOSS}  {comment}\n")
    assert loss.code == "TL301"
    assert {one.code for one in rest} <= {"TL001"}
    assert len(rest) == len(messages)
    for one, message in zip(rest, messages, strict=True):
        assert one.message.startswith(message.partition("; did")[0])
        assert ("did you mean" in one.message) is ("did you mean" in message)


def test_of_several_names_only_those_without_use_are_diagnosed(lint):
    line = f"{LOSS}  # trainlint: ignore[TL301, TL302, missing-zero-grad]"
    found = lint(f"{HEAD}    {line}\n")
    assert [one.message for one in found] == [
        "`TL302` silences nothing here",
        "`missing-zero-grad` silences nothing here",
    ]
    start = 4 + line.index("TL302")
    assert (found[0].span.line, found[0].span.column) == (6, start + 1)
    assert found[0].span.end_column == start + 6


def test_unused_comments_are_advice_that_is_off(lint):
    assert of_line(lint, "g(p)  # noqa: TL301", select=None) == []
    (one,) = lint(f"{HEAD}    g(p)  # noqa: TL301\n")
    assert (one.rule, one.severity) == ("unused-suppression", "advice")


def test_a_comment_for_a_rule_that_is_off_is_left_alone(lint):
    assert of_line(lint, "g(p)  # noqa: TL301", select=("TL001", "TL302")) == []
    assert of_line(lint, "g(p)  # noqa: TL301", select=("TL001", "TL301")) == ["TL001"]
    assert of_line(lint, "g(p)  # trainlint: ignore", select=("TL001",)) == []


def test_a_bare_noqa_is_left_alone_and_a_bare_ignore_is_not(lint):
    assert of_line(lint, "g(p)  # noqa") == []
    assert of_line(lint, "g(p)  # trainlint: ignore") == ["TL001"]


def test_a_name_without_a_code_is_seen_where_nothing_else_is_said(lint):
    (one,) = lint("import torch\nx = 1  # trainlint: ignore[missing-zero-grad]\n")
    assert one.message == "`missing-zero-grad` silences nothing here"


def test_a_comment_that_names_the_rule_itself_is_kept(lint):
    assert of_line(lint, "g(p)  # noqa: TL301, TL001") == []
    assert of_line(lint, "g(p)  # trainlint: ignore[TL301, unused-suppression]") == []
    assert of_line(lint, "g(p)  # noqa: TL301\n# trainlint: file-ignore[TL001]") == []


def test_a_text_is_no_comment(lint):
    assert of_line(lint, f'{LOSS}, "# noqa: TL301"') == ["TL301"]
    assert of_line(lint, f'{LOSS}, """\n# trainlint: file-ignore\n"""') == ["TL301"]
    assert of_line(lint, 'g("# noqa: TL399")') == []


def test_a_comment_on_another_line_silences_nothing(lint):
    assert of_line(lint, f"# noqa: TL301\n    {LOSS}\n    # noqa: TL301") == [
        "TL001",
        "TL301",
        "TL001",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "F.cross_entropy(  # noqa: TL301\n        p,\n        y,\n    )",
        "F.cross_entropy(\n        p,\n        y,\n    )  # noqa: TL301",
        'g(\n        1,\n        F.cross_entropy(p, y),\n        """\n"""\n    )  # noqa: TL301',
        "if F.cross_entropy(p, y):  # noqa: TL301\n        pass",
        "if (\n        F.cross_entropy(p, y)\n    ):  # noqa: TL301\n        pass",
        "a = 1; F.cross_entropy(p, y)  # noqa: TL301",
    ],
)
def test_a_comment_at_either_end_of_a_statement_silences_what_is_in_it(lint, statement):
    assert of_line(lint, statement) == []
    assert of_line(lint, statement.replace("  # noqa: TL301", "")) == ["TL301"]


def test_a_comment_on_a_head_does_not_reach_into_the_body(lint):
    for head in ("if x:", "for a in x:", "with x:", "def g():"):
        assert of_line(lint, f"{head}  # noqa: TL301\n        {LOSS}\n") == ["TL001", "TL301"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_signs_of_any_kind_do_not_matter(lint, end):
    code = f"# é 中 😀\n\x0c{HEAD}    {LOSS}, 'é😀'  # noqa: TL301, TL302\n".replace("\n", end)
    (one,) = lint(code)
    assert one.message == "`TL302` silences nothing here"
    line = code.split(end)[one.span.line - 1]
    assert line[one.span.column - 1 : one.span.end_column - 1] == "TL302"


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("g(p)  # noqa: TL301", "g(p)"),
        ("g(p)  # noqa: TL301 because", "g(p)"),
        ("g(p)  # noqa: TL301  # why", "g(p)  # why"),
        ("g(p)  # why  # noqa: TL301", "g(p)  # why"),
        ("g(p)  # noqa: E501, TL301", "g(p)  # noqa: E501"),
        ("g(p)  # trainlint: ignore", "g(p)"),
        ("g(p)  # trainlint: ignore[TL301] because", "g(p)"),
        (f"{LOSS}  # noqa: TL302,TL301", f"{LOSS}  # noqa: TL301"),
        (f"{LOSS}  # trainlint: ignore[x, TL301] y", f"{LOSS}  # trainlint: ignore[TL301] y"),
        ("# noqa: TL301\n    g(p)", "g(p)"),
    ],
)
def test_the_fix_takes_out_what_is_of_no_use(lint, line, mended):
    code = f"{HEAD}    {line}\n"
    found = [one for one in lint(code) if one.code == "TL001"]
    text, refused = apply_fixes(code, [one.fix for one in found])
    assert not refused
    assert text == f"{HEAD}    {mended}\n"
    assert lint(text) == []
