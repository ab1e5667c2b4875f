"""Edge cases of uniform-range-not-matching-variance."""

import pytest

RULE = "uniform-range-not-matching-variance"


def test_the_deviation_of_he_as_a_range_is_found(lines):
    assert lines(
        RULE,
        """
        import math
        from torch import nn
        def init(m):
            if isinstance(m, nn.Linear):
                std = math.sqrt(2.0 / m.in_features)
                nn.init.uniform_(m.weight, -std, std)
    """,
    ) == [7]


def test_the_deviation_of_glorot_as_a_range_is_found(lines):
    assert lines(
        RULE,
        """
        import numpy as np
        from torch import nn
        class Net(nn.Module):
            def __init__(self, fan_in, fan_out):
                super().__init__()
                self.fc = nn.Linear(fan_in, fan_out)
                scale = np.sqrt(2 / (fan_in + fan_out))
                self.fc.weight.data.uniform_(-scale, scale)
    """,
    ) == [9]


def test_the_range_of_glorot_as_a_deviation_is_found(lines):
    assert lines(
        RULE,
        """
        import math
        import torch.nn as nn
        def init(layer, fan_in, fan_out):
            limit = math.sqrt(6 / (fan_in + fan_out))
            nn.init.normal_(layer.weight, mean=0.0, std=limit)
    """,
    ) == [6]


def test_the_range_of_he_as_a_deviation_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def reset(layer):
            fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
            layer.weight.data.normal_(0, (6.0 / fan_in) ** 0.5)
    """,
    ) == [5]


def test_keyword_bounds_are_found(lines):
    assert lines(
        RULE,
        """
        from math import sqrt
        from torch.nn.init import uniform_
        def init(weight):
            n = weight.size(1)
            uniform_(weight, a=-sqrt(2 / n), b=sqrt(2 / n))
    """,
    ) == [6]


@pytest.mark.parametrize(
    "call",
    [
        "nn.init.uniform_(w, -math.sqrt(6 / fan_in), math.sqrt(6 / fan_in))",
        "nn.init.uniform_(w, -math.sqrt(6 / (fan_in + fan_out)), math.sqrt(6 / (fan_in + fan_out)))",
        "nn.init.normal_(w, 0, math.sqrt(2 / fan_in))",
        "nn.init.normal_(w, std=math.sqrt(2 / (fan_in + fan_out)))",
        "nn.init.uniform_(w, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))",
        "w.data.uniform_(-fan_in ** -0.5, fan_in ** -0.5)",
        "nn.init.normal_(w, 0, 1 / math.sqrt(fan_in))",
        "nn.init.uniform_(w, -math.sqrt(3) * math.sqrt(2 / fan_in), math.sqrt(3) * math.sqrt(2 / fan_in))",
        "nn.init.uniform_(w, -0.1, 0.1)",
        "nn.init.normal_(w, 0, 0.02)",
        "nn.init.uniform_(w)",
        "nn.init.normal_(w)",
        "nn.init.uniform_(w, -math.sqrt(k), math.sqrt(k))",
        "nn.init.normal_(w, 0, 0.02 / math.sqrt(2 * fan_in))",
    ],
)
def test_sound_or_unknown_formulas_are_fine(lines, call):
    assert (
        lines(
            RULE,
            f"""
        import math
        from torch import nn
        def init(w, fan_in, fan_out, k):
            {call}
    """,
        )
        == []
    )


def test_the_right_range_through_the_variance_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import math
        from torch import nn
        def init(m):
            std = math.sqrt(2.0 / m.in_features)
            bound = math.sqrt(3.0) * std
            nn.init.uniform_(m.weight, -bound, bound)
    """,
        )
        == []
    )


def test_the_default_of_torch_written_out_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import math
        from torch import nn
        class Layer(nn.Module):
            def reset_parameters(self):
                stdv = 1. / math.sqrt(self.weight.size(1))
                self.weight.data.uniform_(-stdv, stdv)
    """,
        )
        == []
    )


def test_the_efficientnet_head_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import math
        from torch import nn
        def init(m, fan_in, fan_out):
            init_range = 1.0 / math.sqrt(fan_in + fan_out)
            nn.init.uniform_(m.weight, -init_range, init_range)
    """,
        )
        == []
    )


def test_noise_that_is_no_weight_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import math
        import torch
        def sample(shape, low, high):
            noise = torch.empty(shape).uniform_(low, high)
            return noise * math.sqrt(2 / len(shape))
    """,
        )
        == []
    )


def test_a_range_that_is_not_symmetric_is_not_meant(lines):
    assert (
        lines(
            RULE,
            """
        import math
        from torch import nn
        def init(w, n):
            nn.init.uniform_(w, 0, math.sqrt(2 / n))
    """,
        )
        == []
    )
