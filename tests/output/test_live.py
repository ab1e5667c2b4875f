"""A diagnosis of a training is printed with all that is known of it, at any width, without markup."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from trainlint.core.diagnosis import Moment, Severity
from trainlint.output.live import LivePrinter


@pytest.fixture
def printed():
    """Return a function that prints and gives the lines."""

    def lines(action, *, width=80, colours=False):
        stream = io.StringIO()
        console = Console(
            file=stream,
            width=width,
            color_system="standard" if colours else None,
            force_terminal=colours,
        )
        action(LivePrinter(console))
        return stream.getvalue().splitlines()

    return lines


@pytest.mark.parametrize("width", [40, 80, 120])
def test_rule_severity_step_layer_place_evidence_and_remedy_are_shown(printed, runs, width):
    lines = printed(lambda live: live.diagnosis(runs.diagnosis(1200)), width=width)
    assert lines == [
        "error TL250 dead-relu  step 1,200",
        "  act (ReLU), model.py:15",
        "  60% of the units of `act` were 0",
        *(
            ["  evidence: dead units 0.6 > 0.5; loss", "  inf"]
            if width == 40
            else ["  evidence: dead units 0.6 > 0.5; loss inf"]
        ),
        "  remedy: use `nn.LeakyReLU`",
        "",
    ]


def test_a_run_without_a_file_or_layer_has_no_line_for_them(printed, runs):
    one = runs.diagnosis(path="", moment=Moment(3), severity=Severity.WARNING)
    lines = printed(lambda live: live.diagnosis(one))
    assert lines[:2] == ["warning TL250 dead-relu  step 3", "  60% of the units of `act` were 0"]


def test_a_file_elsewhere_is_shown_by_its_name(printed, runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    below = runs.diagnosis(path=str(tmp_path / "models" / "net.py"))
    assert "  act (ReLU), models/net.py:15" in printed(lambda live: live.diagnosis(below))
    away = runs.diagnosis(path="/somewhere/else/net.py")
    assert "  act (ReLU), net.py:15" in printed(lambda live: live.diagnosis(away))


def test_names_of_the_model_are_neither_markup_nor_control(printed, runs):
    one = runs.diagnosis(
        message="[red]no[/red] `a\x1b[31m`", moment=Moment(3, "[bold]", "\x1b]0;"), remedy="[/]"
    )
    text = "\n".join(printed(lambda live: live.diagnosis(one)))
    assert "[red]no[/red]" in text
    assert "[bold]" in text
    assert "\x1b" not in text


def test_a_text_is_printed_line_by_line_and_is_not_wrapped(printed):
    assert printed(lambda live: live.say("a " * 30 + "a\nb"), width=20) == ["a " * 30 + "a", "b"]


def test_colours_say_how_bad_it_is(printed, runs):
    lines = printed(lambda live: live.diagnosis(runs.diagnosis()), colours=True)
    assert lines[0].startswith("\x1b[1;31merror\x1b[0m")
    said = printed(lambda live: live.say("step 3  warning TL250 dead-relu"), colours=True)
    assert "\x1b[1;33mwarning\x1b[0m" in said[0]


def test_it_prints_on_standard_error(capsys, runs):
    LivePrinter().diagnosis(runs.diagnosis())
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error TL250 dead-relu")
