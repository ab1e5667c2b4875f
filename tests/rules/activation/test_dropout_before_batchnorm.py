"""Edge cases of dropout-before-batchnorm."""

from textwrap import dedent

from trainlint.core.fix import apply_fixes

RULE = "dropout-before-batchnorm"


def test_neighbours_in_a_sequential_are_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.Dropout(0.5), nn.BatchNorm1d(9), nn.ReLU())
    """,
    ) == [3]


def test_layers_used_in_forward_are_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 9)
                self.drop = nn.Dropout(0.3)
                self.bn = nn.BatchNorm1d(9)
            def forward(self, x):
                x = self.drop(self.fc(x))
                return self.bn(x)
    """,
    ) == [7]


def test_a_function_with_a_rate_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.bn = nn.BatchNorm2d(9)
            def forward(self, x):
                return self.bn(F.dropout(x, 0.2, self.training))
    """,
    ) == [9]


def test_a_change_of_shape_between_does_not_matter(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        net = nn.Sequential(nn.Conv2d(3, 9, 3), nn.Dropout2d(0.2), nn.Flatten(), nn.BatchNorm1d(9))
    """,
    ) == [3]


def test_a_list_that_grows_is_followed(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        layers = [nn.Linear(9, 9)]
        layers.append(nn.Dropout(0.5))
        layers.append(nn.BatchNorm1d(9))
        net = nn.Sequential(*layers)
    """,
    ) == [4]


def test_dropout_behind_the_normalisation_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.5))
    """,
        )
        == []
    )


def test_a_layer_between_is_left_alone(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        net = nn.Sequential(nn.Dropout(0.5), nn.Linear(9, 9), nn.BatchNorm1d(9))
    """,
        )
        == []
    )


def test_normalisation_of_each_sample_keeps_no_variance(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        a = nn.Sequential(nn.Dropout(0.5), nn.LayerNorm(9))
        b = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(9, track_running_stats=False))
    """,
        )
        == []
    )


def test_a_rate_of_zero_or_one_that_is_not_known_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(p, q=0.0):
            a = nn.Sequential(nn.Dropout(p), nn.BatchNorm1d(9))
            b = nn.Sequential(nn.Dropout(q), nn.BatchNorm1d(9))
            return nn.Sequential(nn.Dropout(0), nn.BatchNorm1d(9))
    """,
        )
        == []
    )


def test_what_an_if_decides_about_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def build(drop):
            layers = [nn.Linear(9, 9)]
            if drop:
                layers.append(nn.Dropout(0.5))
            layers.append(nn.BatchNorm1d(9))
            return nn.Sequential(*layers)
    """,
        )
        == []
    )


def test_the_fix_changes_the_places_of_neighbours(diagnoses):
    source = """
        from torch import nn
        net = nn.Sequential(nn.Linear(9, 9), nn.Dropout(p=0.5), nn.BatchNorm1d(9), nn.ReLU())
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "nn.Linear(9, 9), nn.BatchNorm1d(9), nn.Dropout(p=0.5), nn.ReLU()" in fixed


def test_layers_in_a_list_have_no_fix(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch import nn
        layers = [nn.Linear(9, 9), nn.Dropout(0.5), nn.BatchNorm1d(9)]
        net = nn.Sequential(*layers)
    """,
    )
    assert one.fix is None
