"""Edge cases of parameter-generator-reused."""

RULE = "parameter-generator-reused"


def test_clipping_what_the_optimizer_has_consumed_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        ps = net.parameters()
        optimizer = torch.optim.SGD(ps, lr=0.1)
        torch.nn.utils.clip_grad_norm_(ps, 1.0)
    """,
    ) == [5]


def test_a_generator_consumed_by_every_step_of_a_loop_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        params = net.parameters()
        for x, y in loader:
            loss_fn(net(x), y).backward()
            torch.nn.utils.clip_grad_norm_(params, 1.0)
            optimizer.step()
            optimizer.zero_grad()
    """,
    ) == [6]


def test_a_count_before_the_optimizer_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        def build(model):
            parameters = model.parameters()
            print(sum(p.numel() for p in parameters))
            return torch.optim.Adam(parameters, lr=1e-3)
    """,
    ) == [6]


def test_a_filter_kept_and_used_twice_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        trainable = filter(lambda p: p.requires_grad, model.parameters())
        optimizer = torch.optim.Adam(trainable, lr=1e-3)
        for p in trainable:
            torch.nn.init.normal_(p)
    """,
    ) == [5]


def test_a_generator_expression_kept_and_used_twice_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        trainable = (p for p in model.parameters() if p.requires_grad)
        print(len(list(trainable)))
        optimizer = torch.optim.Adam(trainable, lr=1e-3)
    """,
    ) == [5]


def test_named_parameters_are_a_generator_too(lines):
    assert lines(
        RULE,
        """
        import torch
        named = model.named_parameters()
        decay = [p for n, p in named if "bias" not in n]
        plain = [p for n, p in named if "bias" in n]
    """,
    ) == [5]


def test_a_generator_in_an_attribute_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        class Trainer:
            def __init__(self, model):
                self.params = model.parameters()
                self.optimizer = torch.optim.SGD(self.params, lr=0.1)
                self.ema = Ema(self.params)
    """,
    ) == [7]


def test_the_mend_is_a_list(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        import torch
        ps = net.parameters()
        optimizer = torch.optim.SGD(ps, lr=0.1)
        torch.nn.utils.clip_grad_norm_(ps, 1.0)
    """,
    )
    assert one.fix is not None
    assert [other.span.line for other in one.related][:1] == [3]


def test_each_further_use_is_told_once(lines):
    assert lines(
        RULE,
        """
        import torch
        ps = net.parameters()
        optimizer = torch.optim.SGD(ps, lr=0.1)
        torch.nn.utils.clip_grad_norm_(ps, 1.0)
        torch.nn.utils.clip_grad_norm_(ps, 1.0)
    """,
    ) in ([5], [5, 6])


def test_a_list_can_be_used_twice(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        ps = list(net.parameters())
        qs = [p for p in net.parameters() if p.requires_grad]
        optimizer = torch.optim.SGD(ps, lr=0.1)
        torch.nn.utils.clip_grad_norm_(ps, 1.0)
        other = torch.optim.SGD(qs, lr=0.1)
        torch.nn.utils.clip_grad_norm_(qs, 1.0)
    """,
        )
        == []
    )


def test_a_single_use_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        ps = net.parameters()
        optimizer = torch.optim.SGD(ps, lr=0.1)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    """,
        )
        == []
    )


def test_uses_in_different_branches_are_one(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        ps = net.parameters()
        if name == "sgd":
            optimizer = torch.optim.SGD(ps, lr=0.1)
        elif name == "adam":
            optimizer = torch.optim.Adam(ps, lr=1e-3)
        else:
            optimizer = torch.optim.RMSprop(ps, lr=1e-3)
    """,
        )
        == []
    )


def test_a_branch_that_returns_is_one_use(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def make(net, name):
            ps = net.parameters()
            if name == "sgd":
                return torch.optim.SGD(ps, lr=0.1)
            return torch.optim.Adam(ps, lr=1e-3)
    """,
        )
        == []
    )


def test_a_generator_taken_again_is_fresh(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        ps = net.parameters()
        optimizer = torch.optim.SGD(ps, lr=0.1)
        ps = net.parameters()
        torch.nn.utils.clip_grad_norm_(ps, 1.0)
    """,
        )
        == []
    )


def test_a_generator_turned_into_a_list_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        ps = net.parameters()
        ps = list(ps)
        optimizer = torch.optim.SGD(ps, lr=0.1)
        torch.nn.utils.clip_grad_norm_(ps, 1.0)
    """,
        )
        == []
    )


def test_a_generator_taken_in_the_loop_is_fresh_each_time(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for x, y in loader:
            loss_fn(net(x), y).backward()
            ps = net.parameters()
            torch.nn.utils.clip_grad_norm_(ps, 1.0)
            optimizer.step()
            optimizer.zero_grad()
    """,
        )
        == []
    )


def test_a_question_about_the_name_consumes_nothing(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        ps = net.parameters()
        assert ps is not None
        if isinstance(ps, list):
            print("a list")
        optimizer = torch.optim.SGD(ps, lr=0.1)
    """,
        )
        == []
    )


def test_a_class_that_hands_out_a_list_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        class MLP:
            def parameters(self):
                return [p for layer in self.layers for p in layer.parameters()]
        net = MLP()
        ps = net.parameters()
        for p in ps:
            p.requires_grad = True
        for p in ps:
            p.data += -0.1 * p.grad
    """,
        )
        == []
    )


def test_the_parameters_of_a_signature_are_no_generator(lines):
    assert (
        lines(
            RULE,
            """
        import inspect
        parameters = inspect.signature(f).parameters
        for name in parameters:
            print(name)
        for name in parameters:
            print(name)
    """,
        )
        == []
    )


def test_the_same_name_in_two_functions_is_two_generators(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def one(net):
            ps = net.parameters()
            return torch.optim.SGD(ps, lr=0.1)
        def two(net):
            ps = net.parameters()
            return torch.optim.Adam(ps, lr=0.1)
    """,
        )
        == []
    )
