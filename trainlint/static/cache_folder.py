"""Where the cache is: `.trainlint_cache/cache.sqlite`, with a `.gitignore` of its own beside it."""

from __future__ import annotations

import os
from typing import Final

from trainlint.core.atomic import remove_left_over

FOLDER: Final = ".trainlint_cache"
_TAG: Final = "CACHEDIR.TAG"
_SIGNATURE: Final = "Signature: 8a477f597d28d172789f06886806bc55\n"


def database_of(folder: str) -> str:
    """Return the path of the file in which a folder keeps everything."""
    return os.path.join(folder, "cache.sqlite")


def make(folder: str) -> None:
    """Make the folder, and say to git and to backups that it is a cache."""
    os.makedirs(folder, exist_ok=True)
    for name, text in ((".gitignore", "*\n"), (_TAG, _SIGNATURE)):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)


def clean(folder: str) -> list[str]:
    """Delete the caches in a folder and below, and what killed processes left; return where that was."""
    import shutil  # noqa: PLC0415 - only here

    found: list[str] = []
    for top, folders, _ in os.walk(folder):
        found += remove_left_over(top)
        if FOLDER in folders:
            folders.remove(FOLDER)
            cache = os.path.join(top, FOLDER)
            if os.path.exists(os.path.join(cache, _TAG)):
                shutil.rmtree(cache)
                found.append(cache)
    return found
