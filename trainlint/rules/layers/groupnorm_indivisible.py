"""A group normalisation has a number of channels that its number of groups does not divide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainlint.core.diagnosis import Diagnosis, Severity
from trainlint.core.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainlint.static.model import FileModel

rule = Rule(__name__, "TL613", Severity.ERROR)


@rule.check
def check(file: FileModel) -> Iterator[Diagnosis]:
    """Find group normalisations whose channels are surely no multiple of their groups."""
    for layer in file.all_layers():
        if layer.kind != "GroupNorm" or layer.call.expected_to_fail:
            continue
        groups, channels = layer.constant("num_groups"), layer.constant("num_channels")
        if groups is None or channels is None or groups < 1 or channels % groups == 0:
            continue
        divisors = [one for one in range(1, channels + 1) if channels % one == 0]
        near = sorted(divisors, key=lambda one: abs(one - groups))[:2]
        swapped = channels < groups and groups % channels == 0
        fitting = " or ".join(f"`num_groups={one}`" for one in sorted(near))
        yield rule.at(
            layer,
            f"{layer.call.quoted} cannot share {channels} channels out to {groups} groups evenly, so"
            " its construction fails.",
            remedy=f"The groups come first: `nn.GroupNorm({channels}, {groups})`."
            if swapped
            else f"Choose a divisor of {channels}: {fitting}.",
            label=f"{channels} is no multiple of {groups}",
        )
