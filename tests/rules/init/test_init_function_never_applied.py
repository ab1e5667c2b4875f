"""Edge cases of init-function-never-applied."""

RULE = "init-function-never-applied"


def test_a_private_method_of_a_module_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def _init_weights(self, m):
                if isinstance(m, nn.Linear):
                    nn.init.xavier_uniform_(m.weight)
            def forward(self, x):
                return self.fc(x)
    """,
    ) == [7]


def test_a_private_method_that_fills_by_hand_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def _reset_weights(self):
                self.fc.weight.data.normal_(0, 0.02)
            def forward(self, x):
                return self.fc(x)
    """,
    ) == [7]


def test_a_function_in_a_function_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def build():
            def init_weights(m):
                if isinstance(m, nn.Linear):
                    nn.init.kaiming_normal_(m.weight)
            return nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Linear(9, 1))
    """,
    ) == [4]


def test_a_function_of_a_script_that_trains_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        def weights_init_normal(m):
            if isinstance(m, nn.Conv2d):
                nn.init.normal_(m.weight, 0.0, 0.02)
        net = nn.Sequential(nn.Conv2d(3, 8, 3))
        optimizer = torch.optim.Adam(net.parameters())
    """,
    ) == [4]


def test_a_method_that_is_applied_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
                self.apply(self._init_weights)
            def _init_weights(self, m):
                if isinstance(m, nn.Linear):
                    nn.init.xavier_uniform_(m.weight)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_base_of_another_package_may_call_it(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from transformers import PreTrainedModel
        class Net(PreTrainedModel):
            def __init__(self, config):
                super().__init__(config)
                self.fc = nn.Linear(9, 3)
            def _init_weights(self, m):
                if isinstance(m, nn.Linear):
                    nn.init.xavier_uniform_(m.weight)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_base_of_the_file_that_calls_it_is_seen(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Base(nn.Module):
            def __init__(self):
                super().__init__()
                self.build()
                self.apply(self._init_weights)
        class Net(Base):
            def build(self):
                self.fc = nn.Linear(9, 3)
            def _init_weights(self, m):
                if isinstance(m, nn.Linear):
                    nn.init.xavier_uniform_(m.weight)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_class_to_inherit_from_is_for_other_files(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Initialised(nn.Module):
            def _init_weights(self, m):
                if isinstance(m, nn.Linear):
                    nn.init.xavier_uniform_(m.weight)
        class BaseNet(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def _init_weights(self, m):
                if isinstance(m, nn.Conv2d):
                    nn.init.xavier_uniform_(m.weight)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_public_method_is_for_other_files(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def init_weights(self):
                nn.init.xavier_uniform_(self.fc.weight)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_function_of_a_file_of_models_is_for_other_files(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def weights_init(m):
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
        class Net(nn.Module):
            def forward(self, x):
                return x
    """,
        )
        == []
    )


def test_a_function_that_is_looked_up_by_its_name_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, how):
                super().__init__()
                self.fc = nn.Linear(9, 3)
                getattr(self, "_init_weights")()
            def _init_weights(self):
                nn.init.xavier_uniform_(self.fc.weight)
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_method_that_builds_a_layer_in_a_class_in_a_function_is_for_its_base(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        def make():
            class Quantised(nn.Linear):
                def reset_parameters(self):
                    nn.init.zeros_(self.weight)
            return Quantised
    """,
        )
        == []
    )


def test_a_function_that_sets_no_weights_is_no_matter(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(9, 3)
            def _init_state(self):
                self.state = None
            def forward(self, x):
                return self.fc(x)
    """,
        )
        == []
    )


def test_a_function_in_a_table_of_initialisations_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        def init_xavier(m):
            nn.init.xavier_uniform_(m.weight)
        INITS = {"xavier": init_xavier}
        optimizer = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )
