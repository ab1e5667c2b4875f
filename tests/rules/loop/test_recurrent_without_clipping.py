"""Edge cases of recurrent-without-clipping."""

import pytest

RULE = "recurrent-without-clipping"


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "RNN"])
def test_a_recurrent_class_trained_in_a_plain_loop_is_found(lines, layer):
    assert lines(
        RULE,
        f"""
        import torch
        from torch import nn
        class Tagger(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.{layer}(32, 64, batch_first=True)
                self.out = nn.Linear(64, 8)
            def forward(self, x):
                h, _ = self.rnn(x)
                return self.out(h[:, -1])
        model = Tagger()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    """,
    ) == [7]


def test_a_training_in_a_function_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                super(Net, self).__init__()
                self.lstm = nn.LSTM(28, 64, 2)
                self.fc = nn.Linear(64, 10)
            def forward(self, x):
                return self.fc(self.lstm(x)[0][-1])
        def train(model, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(model(x), y).backward()
                optimizer.step()
        def main():
            model = Net()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
            train(model, loader, optimizer)
    """,
    ) == [7]


def test_a_bare_recurrent_layer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        rnn = torch.nn.GRU(8, 8)
        optimizer = torch.optim.Adam(rnn.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(rnn(x)[0], y).backward()
            optimizer.step()
    """,
    ) == [3]


def test_a_trainer_class_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.encoder = nn.GRU(8, 8)
            def forward(self, x):
                return self.encoder(x)[0]
        class Trainer:
            def __init__(self):
                self.model = Model()
                self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
            def step(self, x, y):
                self.optimizer.zero_grad()
                loss_fn(self.model(x), y).backward()
                self.optimizer.step()
    """,
    ) == [7]


MODEL = """
        import torch
        from torch import nn
        class Model(nn.Module):
            def __init__(self):
                super().__init__()
                self.rnn = nn.LSTM(8, 8)
            def forward(self, x):
                return self.rnn(x)[0]
        model = Model()
"""


def test_clipping_by_norm_is_fine(lines):
    assert (
        lines(
            RULE,
            MODEL
            + """
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    """,
        )
        == []
    )


def test_clipping_by_value_is_fine(lines):
    assert (
        lines(
            RULE,
            MODEL
            + """
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            torch.nn.utils.clip_grad_value_(model.parameters(), 0.5)
            optimizer.step()
    """,
        )
        == []
    )


def test_clipping_by_the_name_without_underscore_is_fine(lines):
    assert (
        lines(
            RULE,
            MODEL
            + """
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            torch.nn.utils.clip_grad_norm(model.parameters(), 0.5)
            optimizer.step()
    """,
        )
        == []
    )


def test_clipping_by_hand_is_fine(lines):
    assert (
        lines(
            RULE,
            MODEL
            + """
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            for p in model.parameters():
                p.grad.data.clamp_(-1, 1)
            optimizer.step()
    """,
        )
        == []
    )


def test_clipping_by_a_function_of_ones_own_is_fine(lines):
    assert (
        lines(
            RULE,
            MODEL
            + """
        from tools import clip_gradient
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            clip_gradient(optimizer, 0.1)
            optimizer.step()
    """,
        )
        == []
    )


def test_a_hook_that_clamps_is_fine(lines):
    assert (
        lines(
            RULE,
            MODEL
            + """
        for p in model.parameters():
            p.register_hook(lambda grad: grad.clamp(-1, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_a_model_that_is_not_trained_here_is_fine(lines):
    assert (
        lines(
            RULE,
            MODEL
            + """
        model.load_state_dict(torch.load("model.pt"))
        model.eval()
        print(model(x))
    """,
        )
        == []
    )


def test_a_library_that_trains_clips_by_its_own_setting(lines):
    assert (
        lines(
            RULE,
            """
        import lightning as L
        import torch
        from torch import nn
        class Model(L.LightningModule):
            def __init__(self):
                super().__init__()
                self.rnn = nn.LSTM(8, 8)
            def training_step(self, batch, index):
                x, y = batch
                return loss_fn(self.rnn(x)[0], y)
            def configure_optimizers(self):
                return torch.optim.Adam(self.parameters(), lr=1e-3)
    """,
        )
        == []
    )


def test_a_network_without_recurrence_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_a_line_search_needs_no_clipping(lines):
    assert (
        lines(
            RULE,
            MODEL
            + """
        optimizer = torch.optim.LBFGS(model.parameters(), lr=0.8)
        for i in range(15):
            def closure():
                optimizer.zero_grad()
                loss = loss_fn(model(x), y)
                loss.backward()
                return loss
            optimizer.step(closure)
    """,
        )
        == []
    )


UNROLLED = """
    import torch
    from torch import nn
    class Walk(nn.Module):
        def __init__(self):
            super().__init__()
            self.take = nn.Linear(8, 8)
            {build}
        def forward(self, x):
            h = x.new_zeros(x.size(0), 8)
            {body}
            return h
    model = Walk()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for x, y in loader:
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("build", "body", "expected"),
    [
        ("self.keep = nn.Linear(8, 8)", "for t in range(x.size(1)): h = self.keep(h).tanh()", [8]),
        ("self.keep = nn.GRUCell(8, 8)", "for step in x.unbind(1): h = self.keep(step, h)", [8]),
        ("self.keep = nn.LSTMCell(8, 8)", "h, c = self.keep(x[:, 0])", []),
        ("self.keep = nn.Linear(8, 8)", "for t in range(3): h = self.keep(h).tanh()", []),
        ("self.keep = nn.Linear(8, 8)", "for t in range(x.size(1)): y = self.keep(x[:, t])", []),
    ],
)
def test_a_recurrence_written_by_hand_is_found(lines, build, body, expected):
    assert lines(RULE, UNROLLED.format(build=build, body=body)) == expected
