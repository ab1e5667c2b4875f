"""Edge cases of clip-by-value."""

RULE = "clip-by-value"


def test_clipping_by_value_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        for x, y in loader:
            optimizer.zero_grad()
            loss_fn(model(x), y).backward()
            torch.nn.utils.clip_grad_value_(model.parameters(), 0.5)
            optimizer.step()
    """,
    ) == [6]


def test_an_imported_name_is_found(lines):
    assert lines(
        RULE,
        """
        from torch.nn.utils import clip_grad_value_
        def step(self):
            clip_grad_value_(self.model.parameters(), clip_value=1.0)
            self.optimizer.step()
    """,
    ) == [4]


def test_an_alias_of_the_package_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn as nn
        nn.utils.clip_grad_value_(net.parameters(), 1)
    """,
    ) == [3]


def test_clamping_each_gradient_by_hand_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        loss.backward()
        for param in policy.parameters():
            param.grad.data.clamp_(-1, 1)
        optimizer.step()
    """,
    ) == [5]


def test_clamping_without_data_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        loss.backward()
        for p in policy.parameters():
            p.grad.clamp_(min=-1.0, max=1.0)
        optimizer.step()
    """,
    ) == [5]


def test_clipping_by_norm_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    """,
        )
        == []
    )


def test_a_file_that_offers_both_has_thought_of_it(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        def clip(parameters, value, mode):
            if mode == "norm":
                torch.nn.utils.clip_grad_norm_(parameters, value)
            else:
                torch.nn.utils.clip_grad_value_(parameters, value)
    """,
        )
        == []
    )


def test_clamping_weights_is_another_thing(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        for p in discriminator.parameters():
            p.data.clamp_(-0.01, 0.01)
    """,
        )
        == []
    )


def test_clamping_a_tensor_is_another_thing(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        image.clamp_(0, 1)
        y = torch.clamp(x, -1, 1)
    """,
        )
        == []
    )


def test_a_function_of_ones_own_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        from tools import clip_grad_value_
        clip_grad_value_(net.parameters(), 1.0)
    """,
        )
        == []
    )


def test_a_mention_without_a_call_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        clippers = {"value": torch.nn.utils.clip_grad_value_}
    """,
        )
        == []
    )


def test_an_input_gradient_clamped_outside_of_a_loop_over_parameters_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        image.grad.clamp_(-1, 1)
        image.data -= 0.1 * image.grad
    """,
        )
        == []
    )
