"""Edge cases of hand-written-grid-search."""

RULE = "hand-written-grid-search"


def test_nested_loops_around_a_training_call_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        for lr in [0.1, 0.01, 0.001]:
            for batch_size in [16, 32]:
                accuracy = train(lr=lr, batch_size=batch_size)
    """,
    ) == [3]


def test_nested_loops_around_a_written_out_training_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        for lr in (0.1, 0.01):
            for width in (64, 128):
                net = build(width)
                optimizer = torch.optim.SGD(net.parameters(), lr=lr)
                for x, y in loader:
                    optimizer.zero_grad()
                    loss_fn(net(x), y).backward()
                    optimizer.step()
    """,
    ) == [3]


def test_lists_kept_in_variables_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        rates = [0.1, 0.01]
        widths = [64, 128]
        def main():
            for lr in rates:
                for width in widths:
                    train_model(lr, width)
    """,
    ) == [6]


def test_a_product_of_lists_is_found(lines):
    assert lines(
        RULE,
        """
        import itertools
        import torch
        for lr, width in itertools.product([0.1, 0.01], [64, 128]):
            score = train_and_evaluate(lr, width)
    """,
    ) == [4]


def test_a_grid_in_a_dict_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        grid = {"lr": [0.1, 0.01], "dropout": [0.1, 0.5]}
        for lr in grid["lr"]:
            for dropout in grid["dropout"]:
                fit(lr, dropout)
    """,
    ) == [4]


def test_three_loops_are_told_once(lines):
    assert lines(
        RULE,
        """
        import torch
        for lr in [0.1, 0.01]:
            for width in [64, 128]:
                for depth in [1, 2, 3]:
                    train(lr, width, depth)
    """,
    ) == [3]


def test_a_single_loop_is_a_look_not_a_search(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for lr in [0.1, 0.01, 0.001]:
            train(lr)
    """,
        )
        == []
    )


def test_the_usual_loops_of_a_training_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for epoch in range(10):
            for x, y in loader:
                train_step(x, y)
    """,
        )
        == []
    )


def test_nested_loops_without_a_training_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for size in [16, 32]:
            for dtype in ["float32", "float16"]:
                print(measure(size, dtype))
    """,
        )
        == []
    )


def test_phases_of_an_epoch_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for epoch in [0, 1, 2]:
            for phase in ["train", "val"]:
                for x, y in loaders[phase]:
                    optimizer.zero_grad()
                    loss_fn(net(x), y).backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_training_that_does_not_use_the_values_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for row in [1, 2]:
            for column in [1, 2]:
                show(row, column)
        train(net)
    """,
        )
        == []
    )


def test_a_mode_call_is_not_a_training(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for rate in [0.1, 0.2]:
            for width in [8, 16]:
                net = build(rate, width)
                net.train(False)
                report(net(x), rate, width)
    """,
        )
        == []
    )


def test_a_search_by_a_library_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import optuna
        import torch
        def objective(trial):
            lr = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
            width = trial.suggest_categorical("width", [64, 128])
            return train(lr, width)
        optuna.create_study().optimize(objective, n_trials=20)
    """,
        )
        == []
    )


def test_a_file_without_torch_is_none_of_our_business(lines):
    assert (
        lines(
            RULE,
            """
        for a in [1, 2]:
            for b in [3, 4]:
                train(a, b)
    """,
        )
        == []
    )


def test_a_repetition_over_seeds_is_a_measurement(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for dataset in ["cora", "pubmed"]:
            for seed in [0, 1, 2]:
                train(dataset, seed)
    """,
        )
        == []
    )


def test_batches_of_several_shapes_for_one_network_are_no_search(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for height in [32, 64]:
            for width in [32, 64]:
                x = torch.randn(8, 3, height, width)
                optimizer.zero_grad()
                net(x).mean().backward()
                optimizer.step()
    """,
        )
        == []
    )
