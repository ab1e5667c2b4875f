"""Where the cache is: `.trainlint_cache/cache.sqlite`, with a `.gitignore` of its own beside it."""

from __future__ import annotations

import os
from typing import Final

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
    """Delete the caches in a folder and below; return where they were."""
    import shutil  # noqa: PLC0415 - only here

    found = []
    for top, folders, _ in os.walk(folder):
        if FOLDER in folders:
            folders.remove(FOLDER)
            cache = os.path.join(top, FOLDER)
            if os.path.exists(os.path.join(cache, _TAG)):
                shutil.rmtree(cache)
                found.append(cache)
    return found
