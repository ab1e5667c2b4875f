"""Where normalize-wrong-scale speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "normalize-wrong-scale"


def test_a_mean_of_255_behind_to_tensor_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torchvision.transforms as T
        tf = T.Compose([T.ToTensor(), T.Normalize((123.7,), (58.4,))])
    """,
    ) == [3]


def test_constants_of_the_module_are_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms
        MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255]
        STD = [0.229 * 255, 0.224 * 255, 0.225 * 255]
        transform = transforms.Compose([
            transforms.RandomCrop(32),
            transforms.ToTensor(),
            transforms.Normalize(mean=MEAN, std=STD),
        ])
    """,
    ) == [8]


def test_a_normalize_in_a_variable_is_found_where_it_is_made(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision.transforms import Compose, Normalize, ToTensor
        normalize = Normalize([104.0, 117.0, 123.0], [1.0, 1.0, 1.0])
        def build():
            return Compose([ToTensor(), normalize])
    """,
    ) == [3]


def test_steps_that_keep_the_scale_may_stand_between(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms as T
        tf = T.Compose([T.ToTensor(), T.RandomErasing(), T.Resize(32), T.Normalize(127.5, 127.5)])
    """,
    ) == [3]


def test_a_list_that_grows_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms as T
        steps = [T.Resize(32)]
        steps.append(T.ToTensor())
        steps.append(T.Normalize((120.0, 120.0, 120.0), (60.0, 60.0, 60.0)))
        tf = T.Compose(steps)
    """,
    ) == [5]


def test_a_scaling_dtype_is_like_to_tensor(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torchvision.transforms import v2
        tf = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([123.0], [58.0])])
    """,
    ) == [4]


def test_a_dtype_that_does_not_scale_is_found_with_a_mean_within_1(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torch
        from torchvision.transforms import v2
        tf = v2.Compose([
            v2.PILToTensor(),
            v2.RandomHorizontalFlip(),
            v2.ToDtype(torch.float32, scale=False),
            v2.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5]),
        ])
    """,
    ) == [8]


def test_pipelines_inside_of_pipelines_are_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms as T
        load = T.Compose([T.Resize(32), T.ToTensor()])
        tf = T.Compose([load, T.Normalize((125.0,), (62.0,))])
    """,
    ) == [4]


def test_numbers_of_0_to_1_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        tf = T.Compose([T.ToTensor(), T.Normalize((0.5,), (0.5,))])
        back = T.Compose([T.ToTensor(), T.Normalize((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))])
    """,
        )
        == []
    )


def test_a_step_that_is_not_known_may_multiply(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        tf = T.Compose([T.ToTensor(), T.Lambda(lambda x: x * 255), T.Normalize((123.0,), (58.0,))])
        other = T.Compose([T.ToTensor(), ToRange255(), T.Normalize((123.0,), (58.0,))])
    """,
        )
        == []
    )


def test_a_mean_that_is_not_known_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        def build(mean, std):
            return T.Compose([T.ToTensor(), T.Normalize(mean, std)])
    """,
        )
        == []
    )


def test_arrays_of_floats_are_not_scaled(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import numpy as np
        from torchvision import transforms as T
        tf = T.Compose([T.ToTensor(), T.Normalize((123.0,), (58.0,))])
        def load(path):
            return tf(np.load(path).astype(np.float32))
    """,
        )
        == []
    )


def test_pixels_of_0_to_255_may_have_a_mean_of_that_scale(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torchvision.transforms import v2
        tf = v2.Compose([v2.PILToTensor(), v2.ToDtype(torch.float32), v2.Normalize([123.0], [58.0])])
    """,
        )
        == []
    )


def test_images_that_may_be_floats_are_not_judged(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torchvision.transforms import v2
        tf = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32), v2.Normalize([0.5], [0.5])])
    """,
        )
        == []
    )


def test_a_scale_that_is_not_known_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torchvision.transforms import v2
        def build(scale):
            return v2.Compose([
                v2.PILToTensor(), v2.ToDtype(torch.float32, scale=scale), v2.Normalize([0.5], [0.5])])
    """,
        )
        == []
    )


def test_an_optional_step_is_not_known(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        def build(raw):
            steps = [T.ToTensor()]
            if raw:
                steps.append(T.Lambda(lambda x: x * 255))
            steps.append(T.Normalize((123.0,), (58.0,)))
            return T.Compose(steps)
    """,
        )
        == []
    )


def test_a_normalize_of_another_package_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import albumentations as A
        from torchvision import transforms as T
        tf = A.Compose([A.Normalize(mean=(123.0,), std=(58.0,)), ToTensorV2()])
    """,
        )
        == []
    )
