"""Edge cases of adagrad-on-deep-network."""

RULE = "adagrad-on-deep-network"


def test_adagrad_on_a_sequential_of_three_layers_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        net = nn.Sequential(
            nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)
        )
        optimizer = torch.optim.Adagrad(net.parameters(), lr=0.01)
    """,
    ) == [7]


def test_adagrad_on_a_convolutional_class_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        import torch.optim as optim
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv1 = nn.Conv2d(1, 32, 3)
                self.conv2 = nn.Conv2d(32, 64, 3)
                self.fc = nn.Linear(64, 10)
            def forward(self, x):
                return self.fc(self.conv2(self.conv1(x)).mean((2, 3)))
        model = Net().to("cuda")
        optimizer = optim.Adagrad(model.parameters())
    """,
    ) == [13]


def test_adagrad_in_a_function_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        def main():
            layers = []
            for _ in range(6):
                layers += [nn.Linear(64, 64), nn.GELU()]
            net = nn.Sequential(*layers, nn.Linear(64, 2))
            optimizer = torch.optim.Adagrad(net.parameters(), 0.01)
    """,
    ) == [9]


def test_adagrad_in_configure_optimizers_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        import pytorch_lightning as pl
        class Net(pl.LightningModule):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(8, 8)
                self.b = nn.Linear(8, 8)
                self.c = nn.Linear(8, 2)
            def forward(self, x):
                return self.c(self.b(self.a(x)))
            def configure_optimizers(self):
                return torch.optim.Adagrad(self.parameters(), lr=0.01)
    """,
    ) == [14]


def test_the_number_of_layers_can_be_set(lines):
    source = """
        import torch
        from torch import nn
        net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        optimizer = torch.optim.Adagrad(net.parameters(), lr=0.01)
    """
    assert lines(RULE, source, layers=4) == []


def test_a_linear_model_is_where_adagrad_is_at_home(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        net = torch.nn.Linear(1000, 1)
        optimizer = torch.optim.Adagrad(net.parameters(), lr=0.1)
    """,
        )
        == []
    )


def test_two_layers_are_not_deep(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        optimizer = torch.optim.Adagrad(net.parameters(), lr=0.1)
    """,
        )
        == []
    )


def test_embeddings_are_sparse(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Recommender(nn.Module):
            def __init__(self):
                super().__init__()
                self.items = nn.EmbeddingBag(100000, 16)
                self.a = nn.Linear(16, 16)
                self.b = nn.Linear(16, 16)
                self.c = nn.Linear(16, 1)
            def forward(self, x):
                return self.c(self.b(self.a(self.items(x))))
        model = Recommender()
        optimizer = torch.optim.Adagrad(model.parameters(), lr=0.1)
    """,
        )
        == []
    )


def test_an_unknown_model_is_not_guessed(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def make(model):
            return torch.optim.Adagrad(model.parameters(), lr=0.1)
    """,
        )
        == []
    )


def test_a_tensor_is_not_a_network(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        image = torch.rand(3, 8, 8, requires_grad=True)
        optimizer = torch.optim.Adagrad([image], lr=0.1)
    """,
        )
        == []
    )


def test_another_optimizer_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        a = torch.optim.Adadelta(net.parameters())
        b = torch.optim.Adam(net.parameters())
    """,
        )
        == []
    )


def test_an_optimizer_for_one_layer_of_a_deep_network_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(8, 8)
                self.b = nn.Linear(8, 8)
                self.c = nn.Linear(8, 2)
            def forward(self, x):
                return self.c(self.b(self.a(x)))
        net = Net()
        optimizer = torch.optim.Adagrad(net.c.parameters(), lr=0.1)
    """,
        )
        == []
    )


def test_a_class_of_the_same_name_is_another_optimizer(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from mine import Adagrad
        net = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        optimizer = Adagrad(net.parameters(), lr=0.1)
    """,
        )
        == []
    )
