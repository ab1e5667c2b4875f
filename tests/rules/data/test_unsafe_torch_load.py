"""Where unsafe-torch-load speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from trainlint.core.diagnosis import Severity
from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
RULE = "unsafe-torch-load"


def test_false_in_so_many_words_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        state = torch.load(path, weights_only=False)
    """,
    ) == [3]


def test_an_alias_of_torch_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch as th
        def load(path, device):
            return th.load(path, map_location=device, weights_only=False)
    """,
    ) == [4]


def test_an_import_of_load_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import load
        model = load("m.pt", weights_only=False)
    """,
    ) == [3]


def test_a_load_inside_of_another_call_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        net.load_state_dict(torch.load("m.pt", "cpu", weights_only=False)["state_dict"])
    """,
    ) == [3]


def test_a_method_of_a_trainer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        class Trainer:
            def save(self, path):
                torch.save(self.state, path)
            def resume(self, path):
                self.state = torch.load(path, weights_only=False)
    """,
    ) == [7]


def test_an_open_file_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        with open("m.pt", "rb") as f:
            state = torch.load(f, weights_only=False)
    """,
    ) == [4]


def test_true_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        state = torch.load(path, weights_only=True)
    """,
        )
        == []
    )


def test_an_argument_that_is_not_given_is_safe_since_2_6(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        state = torch.load(path)
    """,
        )
        == []
    )


UNSET = """
    import torch
    state = torch.load(path)
    other = torch.load(path, "cpu", weights_only=None)
"""


@pytest.mark.parametrize("target", [(2, 5), (2, 5, 1), (1, 13), (1, 9), (2, 0)])
def test_an_argument_that_is_not_given_is_unsafe_where_the_target_is_older(
    lines: Lines, target: tuple[int, ...]
) -> None:
    assert lines(RULE, UNSET, target_torch=target) == [3, 4]


@pytest.mark.parametrize("target", [None, (2, 6), (2, 6, 0), (2, 10), (3, 0)])
def test_an_argument_that_is_not_given_is_fine_where_the_target_is_newer_or_unknown(
    lines: Lines, target: tuple[int, ...] | None
) -> None:
    assert lines(RULE, UNSET, target_torch=target) == []


def test_what_may_be_given_is_fine_for_an_older_target(lines: Lines) -> None:
    text = """
        import io
        import torch
        def load(path, weights_only, **options):
            a = torch.load(path, **options)
            b = torch.load(path, weights_only=weights_only)
            c = torch.load(io.BytesIO(path))
            return torch.load(path, **{"weights_only": True})
        def plain(path):
            return torch.load(path, **{"map_location": "cpu"})
    """
    assert lines(RULE, text, target_torch=(2, 4)) == [10]


def test_the_fix_for_an_older_target_gives_the_argument(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    text = "import torch\na = torch.load('a.pt')\nb = torch.load(\n    'b.pt',\n    weights_only=None,\n)\n"
    found = diagnoses(RULE, text, target_torch=(2, 5))
    mended, refused = apply_fixes(text, [one.fix for one in found if one.fix is not None])
    assert not refused
    assert mended == text.replace("'a.pt'", "'a.pt', weights_only=True").replace("None", "True")
    assert diagnoses(RULE, mended, target_torch=(2, 5)) == []


def test_what_knows_no_such_argument_has_only_a_remedy(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    (old,) = diagnoses(RULE, "import torch\ntorch.load('a.pt')\n", target_torch=(1, 12))
    assert (old.fix, "1.13" in old.remedy) == (None, True)
    text = "import dill\nimport torch\ntorch.load('a.pt', pickle_module=dill)\n"
    (foreign,) = diagnoses(RULE, text, target_torch=(2, 5))
    assert foreign.fix is None


def test_what_the_caller_decides_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def load(path, weights_only=False):
            return torch.load(path, weights_only=weights_only)
        state = torch.load(path, weights_only=not trusted)
    """,
        )
        == []
    )


def test_a_buffer_in_memory_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import io
        import torch
        def copy(obj):
            buffer = io.BytesIO()
            torch.save(obj, buffer)
            return torch.load(buffer, weights_only=False)
        def parse(data):
            return torch.load(io.BytesIO(data), weights_only=False)
    """,
        )
        == []
    )


def test_a_cache_of_its_own_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import os
        import torch
        def features(cache):
            if os.path.exists(cache):
                return torch.load(cache, weights_only=False)
            found = compute()
            torch.save(found, cache)
            return found
    """,
        )
        == []
    )


def test_falling_back_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def load(path):
            try:
                return torch.load(path, weights_only=True)
            except Exception:
                warn("not only weights")
                return torch.load(path, weights_only=False)
    """,
        )
        == []
    )


def test_a_load_of_something_else_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import joblib
        import torch
        model = joblib.load(path, weights_only=False)
    """,
        )
        == []
    )


def test_the_fix_loads_weights_only(diagnoses: Callable[..., list[Diagnosis]]) -> None:
    text = "import torch\nstate = torch.load('a.pt', weights_only=False, map_location='cpu')\n"
    (found,) = diagnoses(RULE, text)
    assert found.fix is not None
    assert (
        "torch.load('a.pt', weights_only=True, map_location='cpu')"
        in apply_fixes(text, [found.fix])[0]
    )


def test_keywords_from_a_dict_have_only_a_remedy(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    text = "import torch\noptions = dict(weights_only=False)\ntorch.load('a.pt', **options)\n"
    (found,) = diagnoses(RULE, text)
    assert found.span.line == 3
    assert found.fix is None


def test_a_file_of_tests_is_fine(lines: Lines) -> None:
    text = "import torch\ntorch.load('a.pt', weights_only=False)\n"
    assert lines(RULE, text) == [2]
    assert lines(RULE, text, path="test_loading.py") == []


def test_what_is_written_out_is_advice_and_what_was_left_to_an_old_default_is_not(
    diagnoses: Callable[..., list[Diagnosis]],
) -> None:
    text = "import torch\ntorch.load('a.pt', weights_only=False)\ntorch.load('b.pt')\n"
    found = diagnoses(RULE, text, target_torch=(2, 5))
    assert [one.severity for one in found] == [Severity.ADVICE, Severity.WARNING]
