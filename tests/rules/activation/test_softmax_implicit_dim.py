"""Edge cases of softmax-implicit-dim."""

from textwrap import dedent

from trainlint.core.fix import apply_fixes

RULE = "softmax-implicit-dim"


def test_a_layer_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        act = nn.Softmax()
    """,
    ) == [3]


def test_a_function_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        p = F.softmax(x)
        q = F.log_softmax(x)
    """,
    ) == [3, 4]


def test_a_layer_in_a_sequential_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 3), nn.LogSoftmax())
    """,
    ) == [3]


def test_a_keyword_for_the_input_is_not_the_dimension(lines):
    assert lines(
        RULE,
        """
        import torch
        p = torch.nn.functional.softmin(input=x)
    """,
    ) == [3]


def test_a_dimension_by_position_or_name_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        import torch.nn.functional as F
        a = nn.Softmax(1)
        b = nn.LogSoftmax(dim=-1)
        c = F.softmax(x, 1)
        d = F.log_softmax(x, dim=1, dtype=torch.float32)
    """,
        )
        == []
    )


def test_a_dimension_that_callers_choose_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        def attend(scores, dim=None):
            return F.softmax(scores, dim=dim)
    """,
        )
        == []
    )


def test_options_that_are_not_known_are_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch.nn.functional as F
        from torch import nn
        def build(*args, **options):
            return nn.Softmax(*args), F.softmax(x, **options)
    """,
        )
        == []
    )


def test_methods_and_torch_functions_demand_a_dimension_themselves(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        p = torch.softmax(x, -1)
        q = x.softmax(-1)
    """,
        )
        == []
    )


def test_the_softmax_over_channels_has_none(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        act = nn.Softmax2d()
    """,
        )
        == []
    )


def test_a_test_that_expects_a_warning_to_fail_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import pytest
        import torch.nn.functional as F
        def test_it():
            with pytest.raises(Warning):
                F.softmax(x)
    """,
        )
        == []
    )


def test_behind_a_linear_layer_the_fix_takes_the_last_dimension(diagnoses):
    source = """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 3), nn.Softmax())
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "nn.Softmax(dim=-1)" in fixed


def test_behind_a_convolution_the_fix_takes_the_channels(diagnoses):
    source = """
        import torch.nn.functional as F
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.head = nn.Conv2d(8, 3, 1)
            def forward(self, x):
                return F.softmax(self.head(x))
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "F.softmax(self.head(x), dim=1)" in fixed


def test_behind_something_unknown_there_is_no_fix(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch.nn.functional as F
        p = F.softmax(scores)
    """,
    )
    assert one.fix is None


def test_a_layer_that_a_test_only_hands_over_is_left_alone(diagnoses):
    given = """
        import pytest
        from torch import nn
        @pytest.mark.parametrize("head", [nn.Identity(), nn.Softmax()])
        def test_the_name_of_the_head_is_kept(head): ...
    """
    assert diagnoses("softmax-implicit-dim", given, path="heads.py") != []
    assert diagnoses("softmax-implicit-dim", given, path="test_heads.py") == []
