"""Which rules watch a training: the configuration of the current folder, and what `watch` is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trainlint.core.catalogue import load_catalogue
from trainlint.core.config import Config, Selection
from trainlint.core.hierarchy import Hierarchy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainlint.core.config import Settings


def settings_of(
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    extend_select: Sequence[str] = (),
    thresholds: Mapping[str, Mapping[str, object]] | None = None,
    origin: str = "watch",
) -> Settings:
    """Return the settings of a run, checked; ``origin`` is the function that was told them.

    Raises:
        ConfigError: A rule or a threshold is not known, or is of the wrong type.

    """
    selection = Selection(
        origin,
        None if select is None else _listed(select),
        _listed(ignore),
        _listed(extend_select),
    )
    given = Config(origin=origin, selection=selection, thresholds=thresholds or {})
    return Hierarchy(load_catalogue(), above=[given]).settings_of(os.curdir)


def _listed(names: Sequence[str]) -> tuple[str, ...]:
    """Return selectors as they are listed; a single text is one."""
    return (names,) if isinstance(names, str) else tuple(names)
