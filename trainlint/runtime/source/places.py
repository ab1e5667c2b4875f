"""Where a module was built: the line of the user's code, found without having seen it happen.

Source texts are read, never executed; what they leave open stays unknown.
"""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from torch import nn

from trainlint.runtime.signals import Origin
from trainlint.runtime.source.construction import (
    Construction,
    Scope,
    Site,
    bare,
    class_names,
    is_wrapper,
)
from trainlint.runtime.source.user_code import Library, dotted, shown, statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainlint.runtime.source.user_code import Code

_COLLECTIONS: Final = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_INSIDE_WRAPPERS: Final = frozenset({"module", "_orig_mod"})
_MOST_FILES: Final = 200


@dataclass
class Places:
    """Finds where the modules of some models are built; ``caller`` is where they are watched.

    ``models`` maps the prefix of the names of each model to it; a single one has the prefix "".
    """

    models: Mapping[str, nn.Module]
    caller: Origin
    _library: Library = field(default_factory=Library, init=False)
    _sites: dict[tuple[str, str], Site | None] = field(default_factory=dict, init=False)
    _children: dict[tuple[str, str], dict[str, Site | None]] = field(
        default_factory=dict, init=False
    )
    _origins: dict[str, Origin] = field(default_factory=dict, init=False)
    _watches: dict[str, Site | None] = field(default_factory=dict, init=False)
    _assigned: dict[str, dict[str, list[Site]]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._construction = Construction(self._library)

    def of(self, name: str) -> Origin:
        """Return the line at which a module is built, by its path; line 0 where that is unknown."""
        if name not in self._origins:
            try:
                self._origins[name] = self._find(name)
            except Exception:  # noqa: BLE001 - a line that is not found ends no run
                self._origins[name] = Origin()
        return self._origins[name]

    def _find(self, name: str) -> Origin:
        for prefix in sorted(self.models, key=len, reverse=True):
            if not prefix or name == prefix or name.startswith(f"{prefix}."):
                site = self._site(
                    prefix, name.removeprefix(prefix).removeprefix(".") if prefix else name
                )
                break
        else:
            return Origin()
        return Origin() if site is None else Origin(shown(site.place[0]), site.line)

    def _site(self, prefix: str, path: str) -> Site | None:
        """Return the expression that builds a module, or the nearest one around it that a user wrote."""
        key = (prefix, path)
        if key not in self._sites:
            self._sites[key] = None  # what leads to itself is not known
            if path:
                self._sites[key] = self._child(prefix, path)
            else:
                self._sites[key] = self._model(prefix)
        return self._sites[key]

    def _child(self, prefix: str, path: str) -> Site | None:
        """Return the expression that builds a module inside of another one."""
        parent_path, _, name = path.rpartition(".")
        model = self.models[prefix]
        parent, module = model.get_submodule(parent_path), model.get_submodule(path)
        replaced = self._replaced(prefix, path, module)
        if replaced is not None:
            return replaced
        kind = type(parent)
        users = [one for one in kind.__mro__ if self._library.class_of(one) is not None]
        if users:
            found = self._attribute(prefix, parent_path, kind, name, module)
            if found is not None:
                return found
        if isinstance(parent, _COLLECTIONS):
            child = self._in_collection(prefix, parent_path, parent).get(name)
            return child or self._site(prefix, parent_path)
        if users and all(one in users or one in {nn.Module, object} for one in _named_bases(kind)):
            return None  # the user builds it, and how was not understood
        around = self._site(prefix, parent_path)
        if name in _INSIDE_WRAPPERS and around is not None:
            return self._wrapped(around, module)
        return around

    def _attribute(
        self, prefix: str, path: str, kind: type, name: str, module: nn.Module
    ) -> Site | None:
        """Return what the parent's class assigns to the attribute."""
        for sites in self._construction.assigned(kind, name, lambda: self._site(prefix, path)):
            able = [one for one in sites if self._construction.may_be(one, module)]
            if isinstance(module, _COLLECTIONS) and len(able) > 1:
                able = [one for one in able if self._fits(one, module)]
            found = [
                self._construction.followed(one, module) or self._searched(module) for one in able
            ]
            known = [one for one in found if one is not None]
            if known and len(known) == len(able) and len({one.place for one in known}) == 1:
                return known[0]
            if able:
                return None
        return None

    def _fits(self, site: Site, module: nn.Module) -> bool:
        """Say whether a collection can have the children that an expression gives it."""
        children = self._construction.children(site, module)
        return not children or any(children)

    def _in_collection(self, prefix: str, path: str, parent: nn.Module) -> dict[str, Site | None]:
        """Return the expressions of all children of a collection."""
        key = (prefix, path)
        if key not in self._children:
            names = [name for name, _ in parent.named_children()]
            found: list[Site | None] = []
            kind = type(parent)

            def called() -> Site | None:
                return self._site(prefix, path)

            scopes = [
                scope
                for one in kind.__mro__
                for scope in self._construction.methods(kind, one, called)
            ]
            if scopes:
                found = self._construction.children(called(), parent, scopes)
            if not any(found):
                found = self._grown(prefix, path, parent)
            if not any(found):
                found = self._construction.children(called(), parent)
            self._children[key] = dict(zip(names, found, strict=True))
        return self._children[key]

    def _grown(self, prefix: str, path: str, parent: nn.Module) -> list[Site | None]:
        """Return the children of a collection that the class which holds it fills: `self.x.append`."""
        holder_path, _, name = path.rpartition(".")
        nothing: list[Site | None] = [None for _ in parent.named_children()]
        if not path:
            return self._grown_in_script(prefix, parent) or nothing
        kind = type(self.models[prefix].get_submodule(holder_path))
        for one in kind.__mro__:
            scopes = self._construction.methods(kind, one, lambda: self._site(prefix, holder_path))
            found = self._construction.grown_attribute(list(scopes), name, parent)
            if any(found):
                return found
        return nothing

    def _grown_in_script(self, prefix: str, model: nn.Module) -> list[Site | None]:
        """Return the children of a model that the script fills by its name: `model.append(…)`."""
        watched = self._watched(prefix)
        return [] if watched is None else self._construction.children(watched, model)

    # --- what stands outside of the model's own classes

    def _caller(self) -> Code | None:
        """Return the file in which the models are watched."""
        path = self.caller.path
        return self._library.code(path) or self._library.code(os.path.abspath(path))

    def _watched(self, prefix: str) -> Site | None:
        """Return the expression that `watch` is given for a model."""
        if prefix not in self._watches:
            self._watches[prefix] = self._given(prefix)
        return self._watches[prefix]

    def _given(self, prefix: str) -> Site | None:
        """Look for the expression that `watch` is given for a model."""
        code = self._caller()
        if code is None:
            return None
        line = self.caller.line
        calls = [
            one
            for one in code.calls.get("watch", ())
            if one.lineno <= line <= (one.end_lineno or 0)
        ]
        if len(calls) != 1:
            return None
        given = calls[0].args[0] if calls[0].args else None
        for keyword in calls[0].keywords:
            if keyword.arg in {"model", "models"}:
                given = keyword.value
        match given:
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                named = (v for k, v in pairs if isinstance(k, ast.Constant) and k.value == prefix)
                given = next(named, None)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                place = list(self.models).index(prefix)
                given = elements[place] if len(elements) == len(self.models) else None
        if given is None or isinstance(given, ast.Starred):
            return None
        return Site(given, Scope(code, code.enclosing(calls[0].lineno)))

    def _model(self, prefix: str) -> Site | None:
        """Return the expression that builds a model itself."""
        model = self.models[prefix]
        watched = self._watched(prefix)
        if watched is not None and self._construction.may_be(watched, model):
            found = self._construction.followed(watched, model)
            found = found or self._in_cells(watched, model)
            if found is not None:
                return found
        return self._searched(model)

    def _in_cells(self, watched: Site, model: nn.Module) -> Site | None:
        """Return what the latest cell of a notebook that makes a model of this name makes of it."""
        if not isinstance(watched.node, ast.Name):
            return None
        for filename in self._library.cells():
            code = self._library.code(filename)
            if code is not None:
                there = Site(watched.node, Scope(code))
                found = self._construction.followed(there, model, anywhere=True)
                if found is not None:
                    return found
        return None

    def _wrapped(self, site: Site, module: nn.Module) -> Site | None:
        """Return what a wrapper, such as a compiled module, was made of."""
        node = bare(site.node)
        if isinstance(node, ast.Call) and is_wrapper(node) and node.args:
            inner = site.at(node.args[0])
            if self._construction.may_be(inner, module):
                return self._construction.followed(inner, module) or self._searched(module) or site
        return site

    def _replaced(self, prefix: str, path: str, module: nn.Module) -> Site | None:
        """Return what the script puts in the place of a module: `model.fc = nn.Linear(512, 10)`."""
        if prefix not in self._assigned:
            self._assigned[prefix] = self._assignments(prefix)
        found = self._assigned[prefix].get(path, [])
        able = [one for one in found if self._construction.may_be(one, module)]
        known = [self._construction.followed(one, module) for one in able]
        return known[0] if len(known) == 1 else None

    def _assignments(self, prefix: str) -> dict[str, list[Site]]:
        """Return what the script assigns to parts of a model, by their paths."""
        found: dict[str, list[Site]] = {}
        code = self._caller()
        if code is None:
            return found
        watched = self._watched(prefix)
        name = dotted(watched.node) if watched is not None else ""
        for owner in (None, *code.functions):
            for one in statements(code.tree.body if owner is None else owner.body):
                if isinstance(one, ast.Assign):
                    for target in one.targets:
                        root, _, rest = self._target(prefix, target).partition(".")
                        if root != "self" and (not name or root == name):
                            found.setdefault(rest, []).append(Site(one.value, Scope(code, owner)))
        return found

    def _target(self, prefix: str, target: ast.expr) -> str:
        """Return the path of an assignment's target, with indices: `model.classifier[1]`."""
        if isinstance(target, ast.Subscript):
            held = self._target(prefix, target.value)
            match target.slice:
                case ast.Constant(value=int(at)):
                    return f"{held}.{at}"
                case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(at))):
                    _, _, path = held.partition(".")
                    try:
                        count = len(list(self.models[prefix].get_submodule(path).children()))
                    except AttributeError:
                        return ""
                    return f"{held}.{count - at}"
                case ast.Constant(value=str(key)):
                    return f"{held}.{key}"
            return ""
        if isinstance(target, ast.Attribute):
            held = self._target(prefix, target.value)
            return f"{held}.{target.attr}" if held else ""
        return dotted(target)

    def _searched(self, module: nn.Module) -> Site | None:
        """Return the only call that can have built a module, in the caller's file or those imported."""
        code = self._caller()
        own = [] if code is None else self._calls(code, module)
        if own:
            return own[0] if len({one.place for one in own}) == 1 else None
        found: list[Site] = []
        for number, filename in enumerate(self._library.modules()):
            other = self._library.code(filename) if number < _MOST_FILES else None
            if other is not None and other is not code:
                found += self._calls(other, module)
        return found[0] if len({one.place for one in found}) == 1 else None

    def _calls(self, code: Code, module: nn.Module) -> list[Site]:
        """Return the calls in a file that can have built a module."""
        names = class_names(module)
        is_plain = type(module) in _COLLECTIONS
        found = []
        for last, calls in code.calls.items():
            real = code.aliases.get(last, last)
            if real not in names or not (is_plain or type(module).__name__ == real):
                continue
            for one in calls:
                site = Site(one, Scope(code, code.enclosing(one.lineno)))
                if not is_plain or all(self._construction.children(site, module)):
                    found.append(site)
        return found


def _named_bases(kind: type) -> Iterator[type]:
    """Yield the classes that a class is made of, without those that only say what is possible."""
    yield from (one for one in kind.__mro__ if one.__module__ not in {"typing", "abc"})
