"""Tests of clip-deprecated-alias."""

from __future__ import annotations

from textwrap import dedent

import pytest

from trainlint.core.fix import apply_fixes

RULE = "clip-deprecated-alias"


@pytest.mark.parametrize(
    ("imported", "called"),
    [
        ("import torch", "torch.nn.utils.clip_grad_norm"),
        ("from torch import nn", "nn.utils.clip_grad_norm"),
        ("import torch.nn as tnn", "tnn.utils.clip_grad_norm"),
        ("from torch.nn import utils", "utils.clip_grad_norm"),
        ("from torch.nn.utils import clip_grad_norm", "clip_grad_norm"),
        ("from torch.nn.utils.clip_grad import clip_grad_norm", "clip_grad_norm"),
        ("from torch.nn.utils import clip_grad_norm as clip", "clip"),
    ],
)
def test_it_is_found_under_every_import(lines, imported, called):
    assert lines(RULE, f"{imported}\n{called}(params, 1.0)\n") == [2]


def test_the_name_of_today_is_fine(lines):
    assert lines(RULE, "import torch\ntorch.nn.utils.clip_grad_norm_(params, 1.0)\n") == []


def test_a_method_by_this_name_is_fine(lines):
    assert lines(RULE, "import torch\ntrainer.clip_grad_norm(1.0)\nself.clip_grad_norm()\n") == []


def test_a_function_of_the_file_by_this_name_is_fine(lines):
    source = """
    import torch
    def clip_grad_norm(params, most):
        return torch.nn.utils.clip_grad_norm_(params, most)
    clip_grad_norm(params, 1.0)
    """
    assert lines(RULE, source) == []


def test_a_function_of_another_package_is_fine(lines):
    source = "from fairseq.utils import clip_grad_norm\nclip_grad_norm(params, 1.0)\n"
    assert lines(RULE, source) == []


def fixed(diagnoses, source):
    """Return a snippet with all fixes made."""
    text = dedent(source)
    fixes = [one.fix for one in diagnoses(RULE, text) if one.fix is not None]
    return apply_fixes(text, fixes)[0]


def test_the_fix_renames_the_import_and_every_call(diagnoses):
    text = fixed(
        diagnoses,
        """
        from torch.nn.utils import clip_grad_norm, vector_to_parameters
        clip_grad_norm(a, 1.0)
        clip_grad_norm(b, 1.0)
        """,
    )
    assert text.splitlines()[1:] == [
        "from torch.nn.utils import clip_grad_norm_, vector_to_parameters",
        "clip_grad_norm_(a, 1.0)",
        "clip_grad_norm_(b, 1.0)",
    ]


def test_the_fix_keeps_the_name_that_the_import_gives(diagnoses):
    text = fixed(diagnoses, "from torch.nn.utils import clip_grad_norm as clip\nclip(a, 1.0)\n")
    assert text == "from torch.nn.utils import clip_grad_norm_ as clip\nclip(a, 1.0)\n"


def test_there_is_no_fix_where_the_function_is_handed_on(diagnoses):
    source = (
        "from torch.nn.utils import clip_grad_norm\nuse(clip_grad_norm)\nclip_grad_norm(a, 1.0)\n"
    )
    assert fixed(diagnoses, source) == source
