"""The live view follows recordings, driven by Textual's pilot."""

from __future__ import annotations

import asyncio
import math
import sys

import pytest

pytest.importorskip("textual")

from textual.widgets import DataTable, Input, Static

from trainlint.cli.live_view import LiveView, sparkline


def names(app) -> list[str]:
    table = app.query_one(DataTable)
    return [str(table.get_row_at(at)[0]) for at in range(table.row_count)]


def test_the_view_follows_sorts_filters_and_survives_a_restart_at_80_by_24(folder, runs):
    path = folder / "a.tlr"
    runs.recorded(path, map(runs.measured, range(1, 30)), [runs.diagnosis()])
    runs.recorded(folder / "b.tlr", [runs.measured(1)])

    async def use() -> None:
        app = LiveView(lambda: iter([str(path), str(folder / "b.tlr")]), interval=60)
        async with app.run_test(size=(80, 24)) as pilot:
            head = app.query_one("#head", Static)
            assert names(app)[0] == "act"
            assert "1 error in 29 steps" in str(head.render())
            await pilot.press("s")
            assert names(app) == ["fc1", "act", "fc2"]
            await pilot.press("slash", "f", "c", "2")
            assert names(app) == ["fc2"]
            await pilot.press("escape")
            await pilot.pause()
            assert app.query_one(Input).value == ""
            assert len(names(app)) == 3
            await pilot.press("n")
            assert "b.tlr 2/2" in str(head.render())
            await pilot.press("n")
            path.unlink()
            app.follow()
            assert "waiting" in str(head.render())
            runs.recorded(path, map(runs.measured, range(1, 4)))
            app.follow()
            assert "no diagnoses in 3 steps" in str(head.render())

    asyncio.run(use())


def test_a_sparkline_shows_what_is_not_finite():
    assert sparkline([1.0, 10.0, math.nan, 100.0], 10) == "▁▅!█"


def test_without_the_extra_one_line_says_what_to_install(trainlint, monkeypatch):
    monkeypatch.setitem(sys.modules, "trainlint.cli.live_view", None)
    done = trainlint("live")
    assert done.code == 2
    assert done.err.startswith("error: the live view needs textual")
