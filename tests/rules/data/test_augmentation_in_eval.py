"""Where augmentation-in-eval speaks, and where it must not."""

from __future__ import annotations

from collections.abc import Callable

Lines = Callable[..., list[int]]
RULE = "augmentation-in-eval"


def test_a_named_test_pipeline_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import torchvision.transforms as T
        test_tf = T.Compose([T.RandomCrop(32), T.ToTensor()])
    """,
    ) == [3]


def test_a_key_of_a_dict_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms
        data_transforms = {
            'train': transforms.Compose([transforms.RandomResizedCrop(224), transforms.ToTensor()]),
            'val': transforms.Compose([
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
            ]),
        }
    """,
    ) == [6]


def test_a_data_set_that_is_not_for_training_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import datasets, transforms
        ds = datasets.CIFAR10(
            root=".",
            train=False,
            transform=transforms.Compose([transforms.RandomRotation(10), transforms.ToTensor()]),
        )
    """,
    ) == [6]


def test_one_pipeline_for_both_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import datasets, transforms
        transform = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.ToTensor()])
        train_set = datasets.CIFAR10(".", train=True, transform=transform)
        test_set = datasets.CIFAR10(".", train=False, transform=transform)
    """,
    ) == [3]


def test_a_split_by_name_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import datasets
        from torchvision.transforms import Compose, RandomErasing, ToTensor
        ds = datasets.SVHN(".", split="test", transform=Compose([ToTensor(), RandomErasing()]))
    """,
    ) == [4]


def test_a_function_for_validation_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision.transforms import v2
        def get_val_transform():
            return v2.Compose([v2.RandomResizedCrop(224), v2.ToDtype(float)])
    """,
    ) == [4]


def test_a_colour_jitter_is_random_too(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        from torchvision import transforms as T
        valid_transforms = T.Compose([T.Resize(256), T.ColorJitter(0.4, 0.4), T.ToTensor()])
    """,
    ) == [3]


def test_a_folder_of_validation_images_is_found(lines: Lines) -> None:
    assert lines(
        RULE,
        """
        import os
        from torchvision import datasets, transforms
        valdir = os.path.join("data", "val")
        val_dataset = datasets.ImageFolder(
            valdir,
            transforms.Compose([transforms.RandomResizedCrop(224), transforms.ToTensor()]))
    """,
    ) == [7]


def test_training_pipelines_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import datasets, transforms as T
        train_tf = T.Compose([T.RandomCrop(32), T.ToTensor()])
        test_tf = T.Compose([T.CenterCrop(32), T.ToTensor()])
        train_set = datasets.CIFAR10(".", train=True, transform=train_tf)
        test_set = datasets.CIFAR10(".", train=False, transform=test_tf)
    """,
        )
        == []
    )


def test_a_pipeline_of_unknown_use_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms
        transform = transforms.Compose([transforms.RandomCrop(32), transforms.ToTensor()])
        augment = transforms.RandomHorizontalFlip()
    """,
        )
        == []
    )


def test_words_that_only_contain_test_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        latest_transform = T.Compose([T.RandomCrop(32)])
        contest_pipeline = T.Compose([T.RandomCrop(32)])
        interval_aug = T.RandomCrop(32)
        valued = T.RandomCrop(32)
        retrieval_train = T.RandomCrop(32)
    """,
        )
        == []
    )


def test_test_time_augmentation_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        tta_test_transforms = T.Compose([T.RandomHorizontalFlip(), T.ToTensor()])
        test_time_augmentation = T.Compose([T.RandomHorizontalFlip(), T.ToTensor()])
    """,
        )
        == []
    )


def test_a_probability_of_zero_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        test_tf = T.Compose([T.RandomHorizontalFlip(p=0.0), T.ToTensor()])
        val_tf = T.Compose([T.RandomVerticalFlip(0), T.ToTensor()])
    """,
        )
        == []
    )


def test_a_condition_on_training_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        def build(train):
            if train:
                return T.Compose([T.RandomCrop(32), T.ToTensor()])
            return T.Compose([T.CenterCrop(32), T.ToTensor()])
        test_set = make(train=False, transform=build(False))
    """,
        )
        == []
    )


def test_a_function_that_tests_the_transform_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        def test_random_crop():
            crop = T.RandomCrop(32)
            assert crop.size == (32, 32)
        class TestTransforms:
            def setUp(self):
                self.flip = T.RandomHorizontalFlip()
    """,
        )
        == []
    )


def test_a_name_for_both_is_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        from torchvision import transforms as T
        train_val_transform = T.Compose([T.RandomCrop(32), T.ToTensor()])
        trainval = T.Compose([T.RandomCrop(32), T.ToTensor()])
    """,
        )
        == []
    )


def test_random_things_that_are_no_transforms_are_fine(lines: Lines) -> None:
    assert (
        lines(
            RULE,
            """
        import torch
        from torch.utils.data import RandomSampler, random_split
        test_sampler = RandomSampler([1, 2, 3])
        val_x = torch.randn(3)
        train_set, val_set = random_split(data, [8, 2])
    """,
        )
        == []
    )
