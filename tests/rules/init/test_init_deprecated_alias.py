"""Edge cases of init-deprecated-alias."""

from textwrap import dedent

from trainlint.core.fix import apply_fixes

RULE = "init-deprecated-alias"


def test_a_call_through_nn_init_is_found(lines):
    assert lines(
        RULE,
        """
        from torch import nn
        def init(m):
            nn.init.xavier_uniform(m.weight)
    """,
    ) == [4]


def test_an_alias_of_the_package_is_found(lines):
    assert lines(
        RULE,
        """
        import torch.nn.init as init
        init.kaiming_normal(w, mode="fan_out")
        init.constant(b, 0)
    """,
    ) == [3, 4]


def test_a_name_imported_by_itself_is_found(lines):
    assert lines(
        RULE,
        """
        from torch.nn.init import xavier_normal as xn
        xn(w)
    """,
    ) == [3]


def test_a_function_that_is_only_handed_on_is_found(lines):
    assert lines(
        RULE,
        """
        import torch
        INITS = {"xavier": torch.nn.init.xavier_uniform, "normal": torch.nn.init.normal_}
    """,
    ) == [3]


def test_the_new_names_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        nn.init.xavier_uniform_(w)
        nn.init.constant_(b, 0.0)
    """,
        )
        == []
    )


def test_functions_of_the_same_name_elsewhere_are_fine(lines):
    assert (
        lines(
            RULE,
            """
        import torch
        import numpy as np
        w = np.random.normal(0, 1, 10)
        t = torch.normal(0.0, 1.0, (3,))
        init.uniform(w)
    """,
        )
        == []
    )


def test_a_fallback_for_old_releases_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch.nn import init
        if hasattr(init, "xavier_normal_"):
            init.xavier_normal_(w)
        else:
            init.xavier_normal(w)
    """,
        )
        == []
    )


def test_a_method_of_a_class_of_the_file_is_fine(lines):
    assert (
        lines(
            RULE,
            """
        from torch import nn
        class Init:
            def normal(self, w): ...
        init = Init()
        init.normal(w)
    """,
        )
        == []
    )


def test_another_spelling_of_the_package_is_the_same_one(lines):
    assert lines(
        RULE,
        """
        import torch as t
        t.nn.init.orthogonal(layer.weight)
    """,
    ) == [3]


def test_the_fix_writes_the_underscore(diagnoses):
    source = """
        from torch import nn
        nn.init.xavier_uniform(m.weight, gain=2.0)
    """
    (one,) = diagnoses(RULE, source)
    assert one.fix is not None
    fixed, refused = apply_fixes(dedent(source), [one.fix])
    assert not refused
    assert "nn.init.xavier_uniform_(m.weight, gain=2.0)" in fixed


def test_a_name_imported_by_itself_has_no_fix(diagnoses):
    (one,) = diagnoses(
        RULE,
        """
        from torch.nn.init import uniform
        uniform(w)
    """,
    )
    assert one.fix is None


def test_a_table_of_all_names_is_fine(lines):
    """As of what replaces them by nothing for a while, where each must be known by its own name."""
    assert (
        lines(
            RULE,
            """
        import torch.nn as nn
        FUNCTIONS = {"uniform_": nn.init.uniform_, "uniform": nn.init.uniform, "normal": nn.init.normal}
    """,
        )
        == []
    )
