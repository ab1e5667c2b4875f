"""Edge cases of rnn-dropout-single-layer."""

from textwrap import dedent

from trainlint.core.fix import apply_fixes

RULE = "rnn-dropout-single-layer"


def test_a_layer_without_a_number_of_layers_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        rnn = nn.LSTM(8, 8, dropout=0.3)
    """,
    ) == [3]


def test_a_literal_number_of_one_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.GRU(8, 16, num_layers=1, batch_first=True, dropout=0.5)
    """,
    ) == [6]


def test_positions_are_read_like_names(lines):
    assert lines(
        RULE,
        """
        import torch
        rnn = torch.nn.LSTM(8, 8, 1, True, False, 0.3)
    """,
    ) == [3]


def test_a_rate_that_is_not_known_has_no_effect_either(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def build(dropout):
            return nn.RNN(8, 8, dropout=dropout)
    """,
    ) == [4]


def test_a_constant_of_the_file_is_followed(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        LAYERS = 1
        rnn = nn.LSTM(8, 8, LAYERS, dropout=0.2)
    """,
    ) == [4]


def test_a_number_that_callers_choose_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, num_layers=1, dropout=0.2):
                super().__init__()
                self.num_layers = num_layers
                self.rnn = nn.LSTM(8, 8, num_layers, dropout=dropout)
                self.other = nn.LSTM(8, 8, self.num_layers, dropout=dropout)
    """,
        )
        == []
    )


def test_a_number_from_the_command_line_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import argparse
        from torch import nn
        parser = argparse.ArgumentParser()
        parser.add_argument("--layers", type=int, default=1)
        args = parser.parse_args()
        rnn = nn.LSTM(8, 8, args.layers, dropout=0.2)
    """,
        )
        == []
    )


def test_several_layers_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        rnn = nn.LSTM(8, 8, num_layers=2, dropout=0.2)
    """,
        )
        == []
    )


def test_a_rate_of_zero_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        rnn = nn.LSTM(8, 8, dropout=0.0)
        def build(dropout=0):
            return nn.GRU(8, 8, dropout=dropout)
    """,
        )
        == []
    )


def test_a_rate_that_asks_for_the_number_of_layers_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(n, p):
            return nn.LSTM(8, 8, dropout=p if n > 1 else 0)
    """,
        )
        == []
    )


def test_options_that_are_not_known_are_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(dropout, **options):
            return nn.LSTM(8, 8, dropout=dropout, **options)
    """,
        )
        == []
    )


def test_a_layer_of_another_package_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from mylib import LSTM
        rnn = LSTM(8, 8, dropout=0.3)
    """,
        )
        == []
    )


def test_the_fix_drops_the_keyword(diagnoses):
    source = """
        from torch import nn
        rnn = nn.LSTM(8, 8, num_layers=1, dropout=0.3, bidirectional=True)
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "nn.LSTM(8, 8, num_layers=1, bidirectional=True)" in fixed


def test_a_rate_by_position_with_another_behind_it_has_no_fix(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch import nn
        rnn = nn.LSTM(8, 8, 1, True, False, 0.3, True)
    """,
    )
    assert one.fix is None
