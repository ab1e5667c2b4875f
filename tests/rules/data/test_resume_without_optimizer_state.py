"""Where resume-without-optimizer-state speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lines = Callable[..., list[int]]
RULE = "resume-without-optimizer-state"


def test_a_dict_with_the_epoch_and_the_model_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'epoch': epoch, 'model': model.state_dict()}, 'a.pt')
    """,
    ) == [16]


def test_a_dict_in_a_variable_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                state = {'epoch': epoch, 'model': model.state_dict(), 'loss': loss}; torch.save(state, 'a.pt')
    """,
    ) == [16]


def test_a_helper_that_saves_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                save_checkpoint({'epoch': epoch + 1, 'model': model.state_dict()})
        def save_checkpoint(state, name='a.pt'):
            torch.save(state, name)
    """,
    ) == [18]


def test_a_dict_by_keywords_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save(dict(epoch=epoch, model=model.state_dict()), 'a.pt')
    """,
    ) == [16]


def test_momentum_is_a_state(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'epoch': epoch, 'model': model.state_dict()}, 'a.pt')
    """,
    ) == [16]


def test_a_step_counts_like_an_epoch(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['global_step'] + 1
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'global_step': epoch, 'model': model.state_dict()}, 'a.pt')
    """,
    ) == [16]


def test_a_state_in_a_variable_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                weights = model.state_dict(); torch.save({'epoch': epoch, 'model': weights}, 'a.pt')
    """,
    ) == [16]


def test_a_trainer_class_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torch import nn
        class Trainer:
            def __init__(self):
                self.model = nn.Linear(2, 2)
                self.optimizer = torch.optim.AdamW(self.model.parameters())
                self.start_epoch = 0
            def resume(self, path):
                checkpoint = torch.load(path, map_location="cpu")
                self.model.load_state_dict(checkpoint["state_dict"])
                self.start_epoch = checkpoint["epoch"] + 1
            def save(self, epoch, path):
                torch.save({"epoch": epoch, "state_dict": self.model.state_dict()}, path)
    """,
    ) == [14]


def test_the_state_of_the_optimizer_is_enough(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'epoch': epoch, 'model': model.state_dict(), 'optim': optimizer.state_dict()}, 'a.pt')
    """,
        )
        == []
    )


def test_another_checkpoint_may_hold_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'epoch': epoch, 'model': model.state_dict()}, 'best.pt'); torch.save({'o': optimizer.state_dict()}, 'last.pt')
    """,
        )
        == []
    )


def test_a_key_that_is_added_later_may_hold_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                state = {'epoch': epoch, 'model': model.state_dict()}; state['o'] = optimizer.state_dict(); torch.save(state, 'a.pt')
    """,
        )
        == []
    )


def test_an_update_may_add_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                state = {'epoch': epoch, 'model': model.state_dict()}; state.update(extra()); torch.save(state, 'a.pt')
    """,
        )
        == []
    )


def test_a_dict_with_stars_may_hold_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'epoch': epoch, 'model': model.state_dict(), **extra}, 'a.pt')
    """,
        )
        == []
    )


def test_an_entry_by_the_name_of_an_optimizer_may_hold_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'epoch': epoch, 'model': model.state_dict(), 'opt': saved}, 'a.pt')
    """,
        )
        == []
    )


def test_an_epoch_that_is_only_printed_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                print(ckpt['epoch'])
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'epoch': epoch, 'model': model.state_dict()}, 'a.pt')
    """,
        )
        == []
    )


def test_weights_alone_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.Adam(model.parameters())
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'model': model.state_dict()}, 'a.pt')
    """,
        )
        == []
    )


def test_an_optimizer_without_a_state_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        def main(model, loader, path):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            start_epoch = 0
            if path:
                ckpt = torch.load(path)
                model.load_state_dict(ckpt['model'])
                start_epoch = ckpt['epoch']
            for epoch in range(start_epoch, 10):
                for x, y in loader:
                    optimizer.zero_grad()
                    loss = model(x).sum()
                    loss.backward()
                    optimizer.step()
                torch.save({'epoch': epoch, 'model': model.state_dict()}, 'a.pt')
    """,
        )
        == []
    )


def test_a_file_that_never_resumes_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        optimizer = torch.optim.Adam(model.parameters())
        torch.save({"epoch": 3, "model": model.state_dict()}, "best.pt")
    """,
        )
        == []
    )


RESUMES = """
import torch
def restore(model, path):
    state = torch.load(path)
    model.load_state_dict(state['weights'])
    return {returned}
def main(model, loader, path):
    adam = torch.optim.Adam(model.parameters())
    {kept} = restore(model, path)
    for epoch in range(begin, 10):
        for x, y in loader:
            adam.zero_grad()
            model(x).sum().backward()
            adam.step()
        torch.save({{'step': epoch, 'weights': model.state_dict()}}, path)
"""


@pytest.mark.parametrize("returned", ["state['step']", "state['step'] + 1"])
def test_an_epoch_that_a_function_returns_is_one_to_resume_from(
    lines: Lines, returned: str
) -> None:
    assert lines(RULE, RESUMES.format(returned=returned, kept="begin")) == [15]


def test_an_epoch_that_a_function_returns_as_a_label_is_fine(lines: Lines) -> None:
    assert lines(RULE, RESUMES.format(returned="state['step']", kept="label")) == []


def test_a_score_made_of_an_epoch_is_fine(lines: Lines) -> None:
    assert lines(RULE, RESUMES.format(returned="score(state['step'])", kept="begin")) == []
