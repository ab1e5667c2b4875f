"""Where missing-super-init speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "missing-super-init"


def test_a_layer_without_the_constructor_of_the_base_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch.nn as nn
        class Net(nn.Module):
            def __init__(self):
                self.fc = nn.Linear(2, 2)
            def forward(self, x):
                return self.fc(x)
    """,
    ) == [5]


def test_a_layer_before_the_constructor_of_the_base_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch.nn import Linear, Module
        class Net(Module):
            def __init__(self, n):
                self.n = n
                self.fc = Linear(n, n)
                super(Net, self).__init__()
    """,
    ) == [6]


def test_containers_and_parameters_are_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import lightning as L
        import torch
        from torch import nn
        class A(nn.Module):
            def __init__(self):
                self.layers = nn.ModuleList()
        class B(L.LightningModule):
            def __init__(self):
                self.w = nn.Parameter(torch.zeros(3))
        class C(nn.Module):
            def __init__(self):
                self.inner = A()
    """,
    ) == [7, 10, 13]


def test_a_base_of_the_file_is_looked_through(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torch import nn
        class Base(nn.Module):
            def helper(self):
                return 1
        class Net(Base):
            def __init__(self):
                self.fc = nn.Linear(2, 2)
    """,
    ) == [8]


def test_all_forms_of_the_call_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class A(nn.Module):
            def __init__(self):
                super().__init__()
                self.fc = nn.Linear(2, 2)
        class B(nn.Module):
            def __init__(self):
                super(B, self).__init__()
                self.fc = nn.Linear(2, 2)
        class C(nn.Module):
            def __init__(self):
                nn.Module.__init__(self)
                self.fc = nn.Linear(2, 2)
        class D(A):
            def __init__(self):
                A.__init__(self)
                self.fc2 = nn.Linear(2, 2)
    """,
        )
        == []
    )


def test_plain_attributes_before_it_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, config):
                self.config = config
                self.sizes = [1, 2]
                super().__init__()
                self.fc = nn.Linear(2, 2)
    """,
        )
        == []
    )


def test_a_base_that_is_not_known_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        from mylib import Base
        def make_base():
            return nn.Module
        class A(Base):
            def __init__(self):
                self.fc = nn.Linear(2, 2)
        class B(nn.Module, Base):
            def __init__(self):
                self.fc = nn.Linear(2, 2)
        class C(make_base()):
            def __init__(self):
                self.fc = nn.Linear(2, 2)
    """,
        )
        == []
    )


def test_a_class_that_is_no_module_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Trainer:
            def __init__(self):
                self.net = nn.Linear(2, 2)
    """,
        )
        == []
    )


def test_a_data_class_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from dataclasses import dataclass
        from torch import nn
        @dataclass(eq=False)
        class Net(nn.Module):
            width: int = 3
            def __init__(self):
                self.fc = nn.Linear(2, 2)
    """,
        )
        == []
    )


def test_attributes_kept_in_another_way_are_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class A(nn.Module):
            def __init__(self, other):
                self.__dict__ = other.__dict__
                self.fc = nn.Linear(2, 2)
        class B(nn.Module):
            def __setattr__(self, name, value):
                object.__setattr__(self, name, value)
            def __init__(self):
                self.fc = nn.Linear(2, 2)
    """,
        )
        == []
    )


def test_an_object_that_is_no_module_may_be_kept_before_it(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Reader:
            def __init__(self, path):
                self.path = path
        class Net(nn.Module):
            def __init__(self, path):
                self.reader = Reader(path)
                super().__init__()
    """,
        )
        == []
    )


def test_a_helper_that_runs_it_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                self.setup()
                self.fc = nn.Linear(2, 2)
            def setup(self):
                super().__init__()
    """,
        )
        == []
    )


def test_a_branch_is_unknown(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, ready):
                if ready:
                    self.fc = nn.Linear(2, 2)
    """,
        )
        == []
    )


def test_the_fix_comes_first_behind_the_docstring(diagnoses: Callable[..., list]) -> None:
    source = """
        from torch import nn
        class Net(nn.Module):
            def __init__(self, n):
                '''Make it.'''
                self.n = n
                self.fc = nn.Linear(n, n)
        """
    [one] = diagnoses(RULE, source)
    [edit] = one.fix.edits
    assert edit.replacement == "        super().__init__()\n"
