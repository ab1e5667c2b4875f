"""Edge cases of optimizer-rebuilt-in-loop."""

RULE = "optimizer-rebuilt-in-loop"


def test_an_optimizer_built_in_each_epoch_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.optim as optim
        net = Net()
        for epoch in range(9):
            opt = optim.Adam(net.parameters())
            for x, y in loader:
                opt.zero_grad()
                loss_fn(net(x), y).backward()
                opt.step()
    """,
    ) == [5]


def test_an_optimizer_built_for_each_batch_is_found(lines):
    assert lines(
        RULE,
        """
        from torch.optim import AdamW
        def fit(model, train_loader):
            for i, (x, y) in enumerate(train_loader):
                optimizer = AdamW(model.parameters(), lr=1e-3)
                optimizer.zero_grad()
                loss_fn(model(x), y).backward()
                optimizer.step()
    """,
    ) == [5]


def test_an_optimizer_built_for_each_step_of_a_counted_loop_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        model = Net()
        for it in range(1000):
            optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
            optimizer.zero_grad()
            model(x).sum().backward()
            optimizer.step()
    """,
    ) == [5]


def test_a_function_called_once_per_epoch_that_builds_its_optimizer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        def train_epoch(model, loader):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(model(x), y).backward()
                optimizer.step()
        def main():
            model = Net()
            for epoch in range(20):
                train_epoch(model, loader)
    """,
    ) == [4]


def test_a_method_called_once_per_epoch_that_builds_its_optimizer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        class Trainer:
            def __init__(self, net):
                self.net = net
            def train_one_epoch(self):
                self.net.train()
                self.opt = torch.optim.Adam(self.net.parameters(), lr=1e-3)
                for x, y in self.loader:
                    self.opt.zero_grad()
                    loss_fn(self.net(x), y).backward()
                    self.opt.step()
            def fit(self):
                for epoch in range(self.epochs):
                    self.train_one_epoch()
    """,
    ) == [8]


def test_a_new_model_for_each_fold_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for fold in range(5):
            model = Net()
            optimizer = torch.optim.Adam(model.parameters())
            for epoch in range(9):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss_fn(model(x), y).backward()
                    optimizer.step()
    """,
        )
        == []
    )


def test_a_new_model_handed_to_a_function_in_each_round_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def train(model, loader):
            optimizer = torch.optim.Adam(model.parameters())
            for epoch in range(9):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss_fn(model(x), y).backward()
                    optimizer.step()
        for epoch_budget in (1, 2, 4):
            train(build(), loader)
    """,
        )
        == []
    )


def test_a_copy_of_the_model_in_each_round_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import copy, torch
        for task in task_loader:
            learner = copy.deepcopy(net)
            inner = torch.optim.Adam(learner.parameters())
            for _ in range(5):
                inner.zero_grad()
                loss_fn(learner(task.x), task.y).backward()
                inner.step()
    """,
        )
        == []
    )


def test_weights_loaded_anew_in_each_round_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for batch in test_loader:
            net.load_state_dict(start)
            opt = torch.optim.Adam(net.parameters())
            opt.zero_grad()
            entropy(net(batch)).backward()
            opt.step()
    """,
        )
        == []
    )


def test_a_model_that_grows_or_is_unfrozen_in_the_loop_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for epoch in range(9):
            net.add_block()
            opt = torch.optim.Adam(net.parameters())
            train(net, opt)
        for epoch in range(9):
            for p in net.head.parameters():
                p.requires_grad = True
            opt = torch.optim.Adam(net.parameters())
            train(net, opt)
    """,
        )
        == []
    )


def test_an_if_that_decides_about_it_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for epoch in range(90):
            if epoch == 30:
                opt = torch.optim.Adam(net.parameters(), lr=1e-4)
            train(net, opt)
    """,
        )
        == []
    )


def test_plain_sgd_has_no_memory_to_lose(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for epoch in range(90):
            opt = torch.optim.SGD(net.parameters(), lr=0.1 * 0.95**epoch)
            for x, y in loader:
                opt.zero_grad()
                loss_fn(net(x), y).backward()
                opt.step()
    """,
        )
        == []
    )


def test_the_networks_of_a_list_have_an_optimizer_each(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for epoch_net in nets:
            opt = torch.optim.Adam(epoch_net.parameters())
            opts.append(opt)
        for epoch in range(len(nets)):
            opt = torch.optim.Adam(nets[epoch].parameters())
            train(nets[epoch], opt)
    """,
        )
        == []
    )


def test_a_trainer_made_anew_for_each_seed_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        class Trainer:
            def __init__(self):
                self.net = Net()
                self.opt = torch.optim.Adam(self.net.parameters())
            def fit(self):
                for x, y in loader:
                    self.opt.zero_grad()
                    loss_fn(self.net(x), y).backward()
                    self.opt.step()
        for epoch in range(3):
            Trainer().fit()
    """,
        )
        == []
    )


def test_a_loop_over_stages_with_its_own_epochs_is_not_judged(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for stage in stages:
            opt = torch.optim.Adam(net.parameters(), lr=stage.lr)
            for epoch in range(stage.epochs):
                for x, y in loader:
                    opt.zero_grad()
                    loss_fn(net(x), y).backward()
                    opt.step()
    """,
        )
        == []
    )


def test_tensors_that_are_optimised_anew_for_each_image_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for image in loader:
            image.requires_grad_()
            opt = torch.optim.Adam([image], lr=0.1)
            opt.zero_grad()
            net(image).sum().backward()
            opt.step()
    """,
        )
        == []
    )


def test_both_optimizers_of_a_gan_are_found(lines):
    assert lines(
        RULE,
        """
        import torch
        G, D = Generator(), Discriminator()
        for epoch in range(opt.n_epochs):
            optimizer_G = torch.optim.Adam(G.parameters(), lr=opt.lr)
            optimizer_D = torch.optim.Adam(D.parameters(), lr=opt.lr)
            for imgs in dataloader:
                step_generator(optimizer_G, imgs)
                step_discriminator(optimizer_D, imgs)
    """,
    ) == [5, 6]


def test_a_while_over_epochs_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        epoch = 0
        while epoch < max_epochs:
            optimizer = torch.optim.Adam(model.parameters(), lr=lr)
            fit(model, optimizer)
            epoch += 1
    """,
    ) == [5]


def test_a_function_that_makes_the_optimizer_is_found_where_the_loop_calls_it(diagnoses):
    (found,) = diagnoses(
        RULE,
        """
        import torch
        def get_optimizer(model, lr):
            return torch.optim.Adam(model.parameters(), lr=lr)
        model = Net()
        for epoch in range(10):
            opt = get_optimizer(model, 1e-3 * 0.9**epoch)
            fit(model, opt)
    """,
    )
    assert found.span.line == 4
    assert [one.span.line for one in found.related] == [6]


def test_a_copy_handed_to_the_training_in_each_round_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import copy, torch
        def local_update(model):
            optimizer = torch.optim.Adam(model.parameters())
            for x, y in loader:
                optimizer.zero_grad()
                loss_fn(model(x), y).backward()
                optimizer.step()
            return model.state_dict()
        for epoch in range(rounds):
            local_update(copy.deepcopy(global_model))
    """,
        )
        == []
    )
