"""Where transform-order speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from trainlint.core.fix import apply_fixes

if TYPE_CHECKING:
    from trainlint.core.diagnosis import Diagnosis

Lines = Callable[..., list[int]]
RULE = "transform-order"


def test_normalize_before_to_tensor_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torchvision.transforms as T
        tf = T.Compose([T.Normalize(m, s), T.ToTensor()])
    """,
    ) == [3]


def test_random_erasing_before_to_tensor_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision.transforms import Compose, RandomErasing, RandomHorizontalFlip, ToTensor
        tf = Compose([
            RandomHorizontalFlip(),
            RandomErasing(p=0.25),
            ToTensor(),
        ])
    """,
    ) == [5]


def test_transforms_of_images_may_stand_between(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms
        tf = transforms.Compose(
            [transforms.Normalize((0.5,), (0.5,)), transforms.RandomCrop(32), transforms.ToTensor()]
        )
    """,
    ) == [4]


def test_variables_are_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms as T
        normalize = T.Normalize(mean=[0.5], std=[0.5])
        to_tensor = T.ToTensor()
        tf = T.Compose([normalize, to_tensor])
    """,
    ) == [5]


def test_of_two_pipelines_with_one_transform_the_wrong_one_is_marked(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms as T
        scale = T.Normalize(mean=[0.5], std=[0.5])
        right = T.Compose([T.ToTensor(), scale])
        wrong = T.Compose([T.CenterCrop(8), scale, T.ToTensor()])
    """,
    ) == [5]


def test_a_list_in_a_variable_is_followed(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms as T
        class Data:
            def __init__(self):
                steps = [T.Resize(64), T.Normalize([0.5], [0.5])]
                steps.append(T.PILToTensor())
                self.transform = T.Compose(steps)
    """,
    ) == [5]


def test_only_the_first_of_several_is_told(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms as T
        tf = T.Compose([T.Normalize(m, s), T.RandomErasing(), T.ToTensor()])
    """,
    ) == [3]


def test_v2_refuses_images_too(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision.transforms import v2
        tf = v2.Compose([v2.Resize(32), v2.Normalize([0.5], [0.5]), v2.PILToTensor()])
    """,
    ) == [3]


def test_the_right_order_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        tf = T.Compose([T.Resize(32), T.ToTensor(), T.Normalize(m, s), T.RandomErasing()])
    """,
        )
        == []
    )


def test_an_image_made_again_in_between_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        tf = T.Compose([T.ToTensor(), T.Normalize(m, s), T.ToPILImage(), T.Resize(3), T.ToTensor()])
    """,
        )
        == []
    )


def test_a_step_that_is_not_known_may_convert(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        before = T.Compose([LoadTensor(), T.Normalize(m, s), T.ToTensor()])
        between = T.Compose([T.Normalize(m, s), T.Lambda(f), T.ToTensor()])
    """,
        )
        == []
    )


def test_erasing_of_v2_takes_images(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision.transforms import v2
        tf = v2.Compose([v2.RandomErasing(), v2.PILToTensor()])
    """,
        )
        == []
    )


def test_tensors_that_become_images_of_v2_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision.transforms import v2
        tf = v2.Compose([v2.Normalize([0.5], [0.5]), v2.ToImage()])
    """,
        )
        == []
    )


def test_classes_of_the_file_are_not_judged(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        class Normalize:
            def __call__(self, image):
                return image
        tf = T.Compose([Normalize(), T.ToTensor()])
    """,
        )
        == []
    )


def test_a_pipeline_without_a_conversion_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        gpu = T.Compose([T.Normalize(m, s), T.RandomErasing()])
    """,
        )
        == []
    )


def test_a_test_that_expects_the_error_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import pytest
        from torchvision import transforms as T
        def test_order():
            with pytest.raises(TypeError):
                T.Compose([T.Normalize(m, s), T.ToTensor()])(image)
    """,
        )
        == []
    )


def test_neighbours_are_swapped(diagnoses: Callable[..., list[Diagnosis]]) -> None:
    text = "from torchvision import transforms as T\ntf = T.Compose([T.Normalize(m, s), T.ToTensor()])\n"
    (found,) = diagnoses(RULE, text)
    assert found.fix is not None
    mended, _ = apply_fixes(text, [found.fix])
    assert "[T.ToTensor(), T.Normalize(m, s)]" in mended


def test_what_is_apart_has_only_a_remedy(diagnoses: Callable[..., list[Diagnosis]]) -> None:
    (found,) = diagnoses(
        RULE,
        """
        from torchvision import transforms as T
        tf = T.Compose([T.Normalize(m, s), T.Resize(32), T.ToTensor()])
    """,
    )
    assert found.fix is None
