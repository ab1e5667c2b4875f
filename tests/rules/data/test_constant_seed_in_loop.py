"""Where constant-seed-in-loop speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "constant-seed-in-loop"


def test_a_seed_in_each_epoch_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                torch.manual_seed(0)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
    ) == [8]


def test_a_seed_of_numpy_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                np.random.seed(42)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
    ) == [8]


def test_a_seed_of_the_standard_library_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                random.seed(1)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
    ) == [8]


def test_a_constant_of_the_module_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        SEED = 1234
        def train(model, loader, optimizer, args):
            for epoch in range(10):
                torch.manual_seed(SEED)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
    ) == [8]


def test_a_helper_of_the_file_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def set_seed(seed=42):
            torch.manual_seed(seed)
        for epoch in range(3):
            set_seed()
            for x in train_loader:
                loss = model(x).sum()
                loss.backward()
    """,
    ) == [4]


def test_a_helper_of_another_file_is_known_by_its_name(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        from utils import set_seed
        def train(model, loader, optimizer, args):
            for epoch in range(10):
                set_seed(3)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
    ) == [8]


def test_a_seed_in_each_batch_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def run(loader, model):
            for x in loader:
                torch.manual_seed(7)
                loss = model(x).sum()
                loss.backward()
    """,
    ) == [5]


def test_a_function_that_trains_one_epoch_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def train_epoch(model, loader):
            torch.manual_seed(0)
            for x in loader:
                loss = model(x).sum()
                loss.backward()
        for epoch in range(5):
            train_epoch(model, loader)
    """,
    ) == [4]


def test_a_while_over_epochs_is_a_loop(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            while args.epoch < 10:
                torch.manual_seed(0)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
    ) == [8]


def test_lightning_and_accelerate_seed_too(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import random
        import numpy as np
        import torch
        from lightning import seed_everything
        def train(model, loader, optimizer, args):
            for epoch in range(10):
                seed_everything(0)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
    ) == [8]


def test_a_seed_before_the_loop_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        torch.manual_seed(0)
        for epoch in range(3):
            for x in train_loader:
                model(x).sum().backward()
    """,
        )
        == []
    )


def test_a_seed_of_its_own_for_each_epoch_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                torch.manual_seed(epoch)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_seed_counted_from_a_constant_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                torch.manual_seed(1000 + epoch)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_seed_that_is_not_known_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                torch.manual_seed(args.seed)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_seed_for_each_run_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        for fold in range(5):
            torch.manual_seed(0)
            model = build()
            for epoch in range(3):
                for x in loader:
                    model(x).sum().backward()
    """,
        )
        == []
    )


def test_a_seed_for_each_setting_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        for lr in [0.1, 0.01]:
            torch.manual_seed(0)
            train(lr)
        for seed in [1, 2, 3]:
            torch.manual_seed(seed)
            train(seed)
    """,
        )
        == []
    )


def test_a_seed_under_a_condition_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                if epoch == 0:
                    torch.manual_seed(0)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_forked_generator_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                with torch.random.fork_rng():
                    torch.manual_seed(0)
                    sample(model)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_state_that_is_restored_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                state = torch.get_rng_state()
                torch.manual_seed(0)
                sample(model)
                torch.set_rng_state(state)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_generator_of_its_own_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                generator.manual_seed(0)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_the_seed_of_an_environment_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in range(10):
                env.seed(0)
                env.set_seed(0)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_loop_that_does_not_train_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        for x in test_loader:
            torch.manual_seed(0)
            samples.append(model.sample(x))
    """,
        )
        == []
    )


def test_a_seed_for_a_search_over_seeds_of_known_numbers_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import random
        import numpy as np
        import torch

        def train(model, loader, optimizer, args):
            for epoch in [1, 2, 3]:
                torch.manual_seed(epoch)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_seed_in_an_evaluation_starts_the_training_over_too(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        @torch.no_grad()
        def evaluate(model):
            torch.manual_seed(12345)
            model.reset_state()
            return model(torch.randn(3))
        def train_one(model):
            loss = model(torch.randn(3)).sum()
            loss.backward()
        for epoch in range(3):
            train_one(model)
            evaluate(model)
    """,
    ) == [5]


def test_a_file_of_tests_is_fine(lines: Lines) -> None:
    text = (
        "import torch\nfor epoch in range(3):\n    torch.manual_seed(0)\n"
        "    for x in loader:\n        model(x).sum().backward()\n"
    )
    assert lines(RULE, text) == [3]
    assert lines(RULE, text, path="test_seed.py") == []


def test_a_seed_in_each_episode_of_an_agent_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def learn(env, agent, optimizer, n_episodes):
            for _ in range(n_episodes):
                torch.manual_seed(3)
                loss = agent.play(env)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    """,
    ) == [5]


def test_a_seed_for_episodes_that_only_show_an_agent_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def show(env, agent):
            for episode in range(5):
                torch.manual_seed(3)
                agent.play(env)
    """,
        )
        == []
    )
