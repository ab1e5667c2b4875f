"""Which configuration holds for a file: the nearest at or above it, or the one that is named for all."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from trainlint.core.config import Config, Settings, resolve
from trainlint.core.config_file import config_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainlint.core.catalogue import Catalogue


class Hierarchy:
    """Finds and reads each configuration once, when a file below it is asked for.

    ``named`` is the configuration of all files, where the user names one (an empty one, where none is
    to be read); what ``above`` lists comes after every configuration, in that order.
    """

    def __init__(
        self, catalogue: Catalogue, named: Config | None = None, above: Iterable[Config] = ()
    ) -> None:
        self._catalogue = catalogue
        self._named = named
        self._above = tuple(above)
        self._configs: dict[str, Config] = {}
        self._settings: dict[tuple[str, ...], Settings] = {}

    @property
    def files(self) -> tuple[str, ...]:
        """The files that have been read so far, those that others extend among them."""
        read = {str(path): None for one in self._configs.values() for path in one.files}
        return tuple(read)

    def config_of(self, folder: str) -> Config:
        """Return the configuration of the files in a folder, the command line upon it."""
        folder = os.path.abspath(folder)
        pending = []
        while folder not in self._configs:
            found = self._named or config_in(folder)
            parent = os.path.dirname(folder)
            if found is None and parent != folder:
                pending.append(folder)
                folder = parent
                continue
            self._configs[folder] = self._with_command_line(found or Config())
        config = self._configs[folder]
        self._configs.update(dict.fromkeys(pending, config))
        return config

    def settings_of(self, folder: str) -> Settings:
        """Return the settings of the files in a folder."""
        config = self.config_of(folder)
        # The files tell a configuration from the others: the rest is the same for all.
        if config.files not in self._settings:
            self._settings[config.files] = resolve(self._catalogue, config)
        return self._settings[config.files]

    def settings(self, paths: Iterable[str]) -> Settings:
        """Return the settings of files, each of which has its own: ``settings.of(path)``."""
        folders = {os.path.dirname(os.path.abspath(path)): None for path in paths}
        if not folders:
            return self.settings_of(os.curdir)
        found = {folder: self.settings_of(folder) for folder in folders}
        first = next(iter(found.values()))
        others = {folder: one for folder, one in found.items() if one is not first}
        return replace(first, nested=others) if others else first

    def _with_command_line(self, config: Config) -> Config:
        """Put what comes after every configuration upon one."""
        for one in self._above:
            config = replace(one, base=config)
        return config
