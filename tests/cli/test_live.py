"""The live view follows recordings, driven by Textual's pilot."""

from __future__ import annotations

import asyncio
import math
import sys

import pytest

pytest.importorskip("textual", reason="the extra `live` is not installed")

from textual.widgets import DataTable, Input, Static

from trainlint.cli import live
from trainlint.cli.following import Followed
from trainlint.cli.live_view import LiveView, RunPane, sparkline


def names(app, pane: int = 0) -> list[str]:
    """Return the layers that a pane shows."""
    table = list(app.query(DataTable))[pane]
    return [str(table.get_row_at(at)[0]) for at in range(table.row_count)]


def text_of(app, pane: int, part: str) -> str:
    """Return what a part of a pane says."""
    return str(list(app.query(RunPane))[pane].query_one(f".{part}", Static).render())


def lines(app) -> list[str]:
    """Return the screen as text."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def used(app_of, use, size=(80, 24)):
    """Drive an application by a coroutine."""

    async def go() -> None:
        app = app_of()
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await use(app, pilot)

    asyncio.run(go())


@pytest.fixture
def two(folder, runs):
    """Return two recordings, the second of which is newer."""
    a, b = folder / "a.tlr", folder / "b.tlr"
    runs.recorded(a, map(runs.measured, range(1, 30)), [runs.diagnosis()])
    runs.recorded(b, [runs.measured(1)])
    return a, b


def test_two_runs_stand_side_by_side_at_80_by_24(two):
    async def use(app, _) -> None:
        screen = lines(app)
        assert len(screen) == 24
        assert {len(line) for line in screen} == {80}
        assert screen[0].index("b.tlr 1/2  finished") < 40 <= screen[0].index("a.tlr 2/2  finished")
        text = "\n".join(screen)
        assert "The training cannot work" in text
        assert "dead-relu" in text
        assert text.count("loss 1 ") == 2
        for key in ("Sort", "Filter", "Next", "One/all", "Diagnoses", "Quit"):
            assert key in screen[-1]
        assert names(app, 1) == ["act", "fc2", "fc1"] or names(app, 1)[0] == "act"

    used(lambda: LiveView(lambda: map(str, two), interval=60), use)


def test_keys_sort_filter_move_and_tell(two):
    async def use(app, pilot) -> None:
        await pilot.press("o")
        assert len(app.query(RunPane)) == 1
        assert "b.tlr 1/2" in text_of(app, 0, "head")
        await pilot.press("n")
        assert "a.tlr 2/2" in text_of(app, 0, "head")
        assert names(app)[0] == "act"
        await pilot.press("s")
        assert names(app) == ["fc1", "act", "fc2"]
        await pilot.press("s")
        assert names(app) == ["act", "fc1", "fc2"]
        await pilot.press("down", "down")
        await pilot.press("s", "s")
        table = app.query_one(DataTable)
        assert str(table.get_row_at(table.cursor_row)[0]) == "fc2"  # the cursor stays on its layer
        await pilot.press("slash", "f", "c", "2")
        assert names(app) == ["fc2"]
        await pilot.press("enter", "s")
        assert names(app) == ["fc2"]
        await pilot.press("escape")
        await pilot.pause()
        assert app.query_one(Input).value == ""
        assert len(names(app)) == 3
        await pilot.press("d")
        await pilot.pause()
        assert "→ use `nn.LeakyReLU`" in "\n".join(lines(app))
        await pilot.press("p")
        assert "b.tlr 1/2" in text_of(app, 0, "head")

    used(lambda: LiveView(lambda: map(str, two), interval=60), use)


def test_a_run_may_end_vanish_and_begin_anew_and_others_may_come(folder, runs):
    path = folder / "a.tlr"
    found = [str(path)]

    async def use(app, _) -> None:
        assert "waiting" in text_of(app, 0, "head")
        with runs.Recorder.create(str(path), runs.RUN) as recorder:
            recorder.write(runs.measured(1))
            await app.follow()
            assert "running  step 1" in text_of(app, 0, "head")
            recorder.write(runs.measured(2))
            recorder.say(runs.diagnosis())
            await app.follow()
            assert "1 error in 2 steps" in text_of(app, 0, "head")
        await app.follow()
        assert "finished  step 2" in text_of(app, 0, "head")
        path.unlink()
        await app.follow()
        assert "waiting" in text_of(app, 0, "head")
        runs.recorded(path, map(runs.measured, range(1, 4)))
        await app.follow()
        assert "no diagnoses in 3 steps" in text_of(app, 0, "head")
        runs.recorded(folder / "b.tlr", [runs.measured(1)])
        found.append(str(folder / "b.tlr"))
        await app.follow()
        assert "b.tlr 1/2" in text_of(app, 0, "head")
        assert "a.tlr 2/2" in text_of(app, 1, "head")

    used(lambda: LiveView(lambda: found, interval=60), use)


def test_nothing_to_follow_is_said_until_something_comes():
    async def use(app, pilot) -> None:
        assert "waiting for a recording" in "\n".join(lines(app))
        await pilot.press("s", "n", "p", "o", "d")
        await pilot.resize_terminal(30, 10)
        await pilot.pause()
        assert len(lines(app)) == 10

    used(lambda: LiveView(list, interval=60), use)


def test_a_long_training_is_met_near_its_end(folder, runs):
    steps = [runs.measured(at) if at % 10 == 0 else runs.light(at) for at in range(1, 1001)]
    one = Followed(str(runs.recorded(folder / "a.tlr", steps)))
    one.read()
    assert len(one.gradients["fc1.weight"]) == 60
    assert one.step == 1000
    assert one.gradients["fc1.weight"][-1] == 1e-3 / 1000


def test_a_sparkline_shows_what_is_not_finite():
    assert sparkline([1.0, 10.0, math.nan, 100.0], 10) == "▁▅!█"


def test_several_places_are_followed_together(two, trainlint, monkeypatch, folder):
    seen: list[list[str]] = []

    class View:
        def __init__(self, paths):
            seen.append(list(paths()))

        def run(self):
            seen.append([])

    monkeypatch.setattr("trainlint.cli.live_view.LiveView", View)
    monkeypatch.setattr(live, "on_terminal", lambda: True)
    (folder / "deep").mkdir()
    two[1].rename(folder / "deep" / "c.tlr")
    assert trainlint("live", "a.tlr", "deep", "a.tlr").code == 0
    assert seen == [["a.tlr", "deep/c.tlr"], []]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("missing.tlr", "missing.tlr: there is no such file or folder"),
        ("text.tlr", "text.tlr: cannot be read: it is no recording"),
        ("a.tlr", "the live view needs a terminal"),
    ],
)
@pytest.mark.usefixtures("two")
def test_what_cannot_be_followed_is_one_line(folder, trainlint, place, says):
    (folder / "text.tlr").write_text("no recording")
    done = trainlint("live", place)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error: {says}")
    assert done.err.count("\n") == 1


def test_without_the_extra_one_line_says_what_to_install(trainlint, monkeypatch):
    monkeypatch.setitem(sys.modules, "trainlint.cli.live_view", None)
    done = trainlint("live")
    assert done.code == 2
    assert done.err.startswith("error: the live view needs textual")
