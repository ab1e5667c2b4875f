"""Edge cases of uninitialised-parameter."""

RULE = "uninitialised-parameter"


def test_an_empty_tensor_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
            def forward(self, x):
                return x @ self.w
    """,
    ) == [7]


def test_an_old_constructor_of_memory_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.Tensor(d, d))
                self.v = torch.nn.Parameter(torch.FloatTensor(4, 4), requires_grad=True)
            def forward(self, x):
                return x @ self.w @ self.v
    """,
    ) == [7, 8]


def test_an_import_by_name_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import empty, nn
        from torch.nn import Parameter
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.scale = Parameter(empty(d))
            def forward(self, x):
                return self._scaled(x)
            def _scaled(self, x):
                return x * self.scale
    """,
    ) == [7]


def test_a_function_that_takes_the_parameter_reads_it_only(lines):
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty((d, d)))
            def forward(self, x):
                return F.linear(x, self.w)
    """,
    ) == [8]


def test_a_module_of_lightning_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        import lightning as L
        from torch import nn
        class Net(L.LightningModule):
            def __init__(self):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4))
            def training_step(self, batch, i):
                return (batch * self.w).sum()
            def configure_optimizers(self):
                return torch.optim.Adam(self.parameters())
    """,
    ) == [8]


def test_an_initialisation_in_the_constructor_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
                nn.init.normal_(self.w)
            def forward(self, x):
                return x @ self.w
    """,
        )
        == []
    )


def test_a_method_that_resets_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
                self.reset_parameters()
            def forward(self, x):
                return x @ self.w
            def reset_parameters(self):
                self.w.data.uniform_(-0.1, 0.1)
    """,
        )
        == []
    )


def test_a_loop_over_the_parameters_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
                for p in self.parameters():
                    nn.init.normal_(p)
            def forward(self, x):
                return x @ self.w
    """,
        )
        == []
    )


def test_a_function_that_is_applied_to_everything_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
                self.apply(init_bert_params)
            def forward(self, x):
                return x @ self.w
    """,
        )
        == []
    )


def test_a_state_that_is_loaded_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
            def forward(self, x):
                return x @ self.w
        def load(path):
            net = Net(4)
            net.load_state_dict(torch.load(path))
            return net
    """,
        )
        == []
    )


def test_a_module_that_is_handed_on_may_be_filled(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
                fill(self)
            def forward(self, x):
                return x @ self.w
    """,
        )
        == []
    )


def test_a_base_of_another_package_may_fill_it(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        from torch_geometric.nn import MessagePassing
        class Net(MessagePassing):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
            def forward(self, x):
                return x @ self.w
    """,
        )
        == []
    )


def test_an_assignment_from_outside_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
            def forward(self, x):
                return x @ self.w
        def build():
            net = Net(4)
            net.w = nn.Parameter(torch.zeros(4, 4))
            return net
    """,
        )
        == []
    )


def test_a_parameter_that_is_filled_where_it_is_used_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
            def forward(self, x):
                if self.training:
                    self.w.data.copy_(x.T @ x)
                return x @ self.w
    """,
        )
        == []
    )


def test_tensors_of_values_and_of_no_elements_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.zeros(4, 4))
                self.a = nn.Parameter(torch.Tensor([1.0]))
                self.b = nn.Parameter(torch.empty(0))
                self.c = nn.Parameter(torch.Tensor(d))
            def forward(self, x):
                return x @ self.w * self.a + self.b + self.c
    """,
        )
        == []
    )


def test_a_parameter_that_nothing_trains_is_filled_by_a_checkpoint(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4), requires_grad=False)
            def forward(self, x):
                return x @ self.w
    """,
        )
        == []
    )


def test_a_parameter_that_nothing_uses_is_no_matter(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
            def forward(self, x):
                return x
    """,
        )
        == []
    )


def test_a_name_in_a_string_may_stand_for_it(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self, d):
                super().__init__()
                self.w = nn.Parameter(torch.empty(4, 4))
                fill(self, 'w')
            def forward(self, x):
                return x @ self.w
    """,
        )
        == []
    )
