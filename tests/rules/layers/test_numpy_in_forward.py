"""Where numpy-in-forward speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "numpy-in-forward"


def test_a_function_of_numpy_on_the_output_of_a_layer_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import numpy as np
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                x = torch.relu(self.fc(x))
                return torch.tensor(np.fft.fft(x))
    """,
    ) == [11]


def test_the_method_numpy_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import numpy
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Sequential(nn.Conv1d(1, 4, 3), nn.ReLU())
            def forward(self, x):
                h = self.net(x).mean(-1)
                return torch.from_numpy(numpy.sort(h.cpu().numpy()))
    """,
    ) == [11]


def test_a_helper_method_and_a_lightning_step_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import lightning as L
        import numpy as np
        import torch
        from torch import nn
        class Lit(L.LightningModule):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
            def training_step(self, batch, i):
                return self.score(batch[0])
            def score(self, x):
                return np.exp(self.fc(x)).mean()
    """,
    ) == [13]


def test_a_value_that_is_detached_is_meant(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                h = self.fc(x)
                order = np.argsort(h.detach().cpu().numpy())
                return h[torch.from_numpy(order)]
    """,
        )
        == []
    )


def test_sizes_and_constants_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
                self.scale = np.sqrt(8)
            def forward(self, x):
                q = self.fc(x)
                return q / np.sqrt(q.size(-1)) * np.prod(q.shape) * np.log(2)
    """,
        )
        == []
    )


def test_whole_numbers_carry_no_gradient(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                q = self.fc(x)
                return q, np.unique(q.argmax(-1).cpu().numpy()), (q > 0).numpy()
    """,
        )
        == []
    )


def test_nothing_is_said_without_gradients(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
            @torch.no_grad()
            def forward(self, x):
                return np.sort(self.fc(x).numpy())
        class Other(Net):
            def forward(self, x):
                h = self.fc(x)
                if not self.training:
                    return h.numpy()
                with torch.no_grad():
                    h = self.fc(x)
                    return np.sort(h)
    """,
        )
        == []
    )


def test_methods_outside_of_the_forward_are_left_alone(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(8, 8)
            def forward(self, x):
                return self.fc(x)
            def predict(self, x):
                return np.sort(self.fc(x).numpy())
    """,
        )
        == []
    )


def test_inputs_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        import torch
        from torch import nn
        class Mel(nn.Module):
            def forward(self, audio):
                return torch.from_numpy(np.fft.rfft(audio))
    """,
        )
        == []
    )


def test_an_activation_alone_has_no_weights(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.act = nn.ReLU()
            def forward(self, x):
                return np.sort(self.act(x)), np.sort(torch.relu(x))
    """,
        )
        == []
    )
