"""Edge cases of fixed-epochs-without-early-stopping."""

RULE = "fixed-epochs-without-early-stopping"


def test_a_fixed_number_of_epochs_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for epoch in range(100):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
    ) == [4]


def test_a_number_from_argparse_is_found(lines):
    assert lines(
        RULE,
        """
        import argparse
        import torch
        def train(net, loader, optimizer):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
        def main():
            parser = argparse.ArgumentParser()
            parser.add_argument("--epochs", type=int, default=14)
            args = parser.parse_args()
            optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
            for epoch in range(1, args.epochs + 1):
                train(net, loader, optimizer)
                test(net)
    """,
    ) == [14]


def test_a_trainer_with_methods_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        class Trainer:
            def __init__(self, model):
                self.model = model
                self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            def run_epoch(self):
                for x, y in self.loader:
                    self.optimizer.zero_grad()
                    loss_fn(self.model(x), y).backward()
                    self.optimizer.step()
            def fit(self, epochs=10):
                for epoch in range(epochs):
                    self.run_epoch()
    """,
    ) == [13]


def test_a_number_in_a_constant_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        from tqdm import tqdm
        NUM_EPOCHS = 20
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for epoch in tqdm(range(NUM_EPOCHS)):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
    ) == [6]


def test_a_break_is_a_way_to_stop(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for epoch in range(100):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            if waited > patience:
                break
    """,
        )
        == []
    )


def test_keeping_the_best_weights_is_enough(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        best = float("inf")
        for epoch in range(100):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            val_loss = validate(net)
            if val_loss < best:
                best = val_loss
                torch.save(net.state_dict(), "best.pt")
    """,
        )
        == []
    )


def test_a_class_that_stops_early_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        stopper = EarlyStopping(patience=5)
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for epoch in range(100):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            stop = stopper(epoch, validate(net))
    """,
        )
        == []
    )


def test_a_return_out_of_the_loop_is_a_way_to_stop(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def fit(net, optimizer):
            for epoch in range(100):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss_fn(net(x), y).backward()
                    optimizer.step()
                if validate(net) > 0.99:
                    return net
    """,
        )
        == []
    )


def test_an_adversarial_pair_has_no_loss_to_stop_on(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        opt_g = torch.optim.Adam(g.parameters(), lr=1e-4)
        opt_d = torch.optim.Adam(d.parameters(), lr=1e-4)
        for epoch in range(100):
            for x in loader:
                opt_d.zero_grad()
                d_loss(d, g, x).backward()
                opt_d.step()
                opt_g.zero_grad()
                g_loss(d, g).backward()
                opt_g.step()
    """,
        )
        == []
    )


def test_a_loop_over_steps_is_not_judged(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for step in range(1000):
            x, y = get_batch()
            optimizer.zero_grad()
            loss_fn(net(x), y).backward()
            optimizer.step()
    """,
        )
        == []
    )


def test_one_epoch_has_no_end_to_choose(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        for epoch in range(1):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_the_epochs_over_one_rollout_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(agent.parameters(), lr=1e-3)
        for iteration in range(1000):
            rollout = collect(agent)
            for epoch in range(4):
                for start in range(0, 128, 32):
                    optimizer.zero_grad()
                    ppo_loss(agent, rollout, start).backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_loop_that_only_evaluates_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for epoch in range(10):
            for x, y in loader:
                print(net(x))
    """,
        )
        == []
    )


def test_a_plain_endless_loop_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        while True:
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
    """,
        )
        == []
    )


def test_a_schedule_that_ends_at_zero_is_made_for_a_fixed_end(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
        for epoch in range(100):
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(net(x), y).backward()
                optimizer.step()
            scheduler.step()
    """,
        )
        == []
    )


WHOLE = """
import torch
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
def train():
    net.train()
    optimizer.zero_grad()
    loss_fn(net(x)[mask], y[mask]).backward()
    optimizer.step()
for epoch in range(100):
    train()
{after}
"""


def test_epochs_over_the_whole_data_at_once_are_found_where_something_is_evaluated(lines):
    assert lines(RULE, WHOLE.format(after="net.eval()\nprint(score(net(x)))")) == [9]


def test_epochs_over_the_whole_data_at_once_are_fine_where_nothing_is_evaluated(lines):
    assert lines(RULE, WHOLE.format(after="print('done')")) == []
