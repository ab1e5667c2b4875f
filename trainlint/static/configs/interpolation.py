"""References of a configuration to other places of itself: ``${optim.lr}``, ``!ref <lr>``, ``@lr``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trainlint.static.configs.values import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from trainlint.static.configs.values import Value

_REFERENCE: Final = re.compile(r"\$\{([\w.\-\[\]]+)\}")
_REF: Final = re.compile(r"<([\w\-\[\]]+)>")
_IDENTIFIER: Final = re.compile(r"@(\w+(?:(?:#|::)\w+)*)")
_COMPUTED: Final = ("@", "$")
"""What a text starts with that a configuration of MONAI computes."""
_STEP: Final = re.compile(r"[\w\-]+")
_MOST: Final = 8
"""So many references one after the other are followed."""


def refers(value: Value) -> bool:
    """Say whether a value is computed from others."""
    if not isinstance(value, Scalar) or not isinstance(value.value, str):
        return False
    return bool(value.tag) or "${" in value.value or value.value.startswith(_COMPUTED)


def followed(value: Scalar, root: Value) -> Value | None:
    """Return what a reference leads to in its document; None where that cannot be told.

    Only what is a reference and nothing else: a text around it makes another value.
    """
    found: Value = value
    for _ in range(_MOST):
        if not refers(found):
            return found
        assert isinstance(found, Scalar)
        text = str(found.value).strip()
        pattern = _REF if found.tag == "!ref" else _IDENTIFIER if text[:1] == "@" else _REFERENCE
        match = pattern.fullmatch(text)
        if match is None or (found.tag and found.tag != "!ref"):
            return None
        path = match[1]
        # A leading dot starts from where the reference stands: a place in a mapping that is not known.
        ahead = None if path.startswith(".") else _at(root, _STEP.findall(path))
        if ahead is None or ahead is found:
            return None
        found = ahead
    return None


def _at(value: Value, path: list[str]) -> Value | None:
    """Return the value at the end of a path."""
    for step in path:
        inner: Value | None = None
        if isinstance(value, Mapping):
            inner = value.get(step)
        elif isinstance(value, Sequence) and step.isdigit() and int(step) < len(value.items):
            inner = value.items[int(step)]
        if inner is None:
            return None
        value = inner
    return value
