"""Edge cases of dropout-rate-too-high."""

RULE = "dropout-rate-too-high"


def test_a_layer_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        drop = nn.Dropout(0.9)
    """,
    ) == [3]


def test_a_function_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn.functional as F
        def forward(self, x):
            return F.dropout(x, p=0.8, training=self.training)
    """,
    ) == [4]


def test_a_rate_on_the_command_line_is_followed(lines):
    assert lines(
        RULE,
        """
        import argparse
        from torch import nn
        parser = argparse.ArgumentParser()
        parser.add_argument("--dropout", type=float, default=0.75)
        args = parser.parse_args()
        drop = nn.Dropout2d(args.dropout)
    """,
    ) == [7]


def test_a_recurrent_layer_and_a_transformer_are_read(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        rnn = nn.LSTM(8, 8, 2, dropout=0.8)
        layer = nn.TransformerEncoderLayer(64, 8, dropout=0.9)
    """,
    ) == [3, 4]


def test_a_share_to_keep_is_found_by_its_name(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, keep_prob):
                super().__init__()
                self.drop = nn.Dropout(keep_prob)
                self.fine = nn.Dropout(1 - keep_prob)
    """,
    ) == [6]


def test_a_half_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        a, b, c = nn.Dropout(), nn.Dropout(0.5), nn.AlphaDropout(p=0.05)
    """,
        )
        == []
    )


def test_an_unknown_rate_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(rate):
            return nn.Dropout(rate)
    """,
        )
        == []
    )


def test_a_share_to_keep_that_is_small_drops_little(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        keep = 0.1
        drop = nn.Dropout(keep)
    """,
        )
        == []
    )


def test_a_test_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        drop = nn.Dropout(0.99)
    """,
            path="tests/test_net.py",
        )
        == []
    )


def test_a_dropout_of_another_package_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from flax.linen import Dropout
        drop = Dropout(0.9)
    """,
        )
        == []
    )
