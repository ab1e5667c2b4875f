"""Names resolved through imports, aliases and scopes to qualified names."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from trainlint.static.model.elsewhere import Symbol
from trainlint.static.model.tree import Binding, BindingKind, Scope, ScopeKind, Site
from trainlint.static.torch_api import canonical

if TYPE_CHECKING:
    from trainlint.static.model.elsewhere import Elsewhere
    from trainlint.static.model.tree import TreeIndex

_BUILTINS = frozenset(dir(builtins))


class Names:
    """The qualified name of any dotted expression of one file."""

    def __init__(self, index: TreeIndex, elsewhere: Elsewhere) -> None:
        self._index = index
        self._elsewhere = elsewhere
        self._known: dict[int, str | None] = {}
        self._symbols: dict[int, Symbol] = {}

    def qualified(self, node: ast.AST, site: Site) -> str | None:
        """Return the qualified name of a name or attribute; None if it is nothing imported."""
        key = id(node)
        if key in self._known:
            return self._known[key]
        self._known[key] = None
        name = self._qualified(node, site)
        if name is None:
            return None
        found = self._elsewhere.find(name)
        if isinstance(found, Symbol):
            self._symbols[key] = found
            return None
        self._known[key] = name = canonical(found or name)
        return name

    def symbol(self, node: ast.AST, site: Site) -> Symbol | None:
        """Return what a name or attribute stands for in another file of the project."""
        key = id(node)
        if key not in self._known:
            self.qualified(node, site)
        return self._symbols.get(key)

    def _qualified(self, node: ast.AST, site: Site) -> str | None:
        """Resolve one step at a time."""
        if isinstance(node, ast.Attribute):
            owner = self.qualified(node.value, site)
            return None if owner is None else f"{owner}.{node.attr}"
        if not isinstance(node, ast.Name):
            return None
        bindings = self.bindings(node.id, site.scope)
        if bindings is None:
            if node.id in _BUILTINS:
                return f"builtins.{node.id}"
            for module in self._index.star_imports:
                name = f"{module}{'' if module.endswith('.') else '.'}{node.id}"
                if module.startswith(("torch", "lightning", "pytorch_lightning", "math")):
                    return name
                if self._elsewhere.find(name) is not None:
                    return name
            return None
        return self._imported(bindings, node)

    def _imported(self, bindings: list[Binding], node: ast.Name) -> str | None:
        """Return what a name stands for, if every binding of it is an import or an alias of one."""
        last = bindings[-1]
        defined = last.kind in {BindingKind.FUNCTION, BindingKind.CLASS}
        if defined and last.site.block is bindings[0].site.block:
            return None
        for binding in bindings:
            if binding.kind is BindingKind.IMPORT:
                return binding.imported
            if binding.kind is BindingKind.ASSIGN and not binding.path:
                value = binding.value
                if isinstance(value, ast.Name | ast.Attribute) and value is not node:
                    if len(bindings) == 1:
                        return self.qualified(value, binding.site)
                    return None
                if isinstance(value, ast.Constant) and value.value is None:
                    continue
            return None
        return None

    def bindings(self, name: str, scope: Scope) -> list[Binding] | None:
        """Return the bindings of a name as seen from a scope; None if nothing in the file binds it."""
        found = self.lookup(name, scope)
        return None if found is None else found[1]

    def lookup(self, name: str, scope: Scope) -> tuple[Scope, list[Binding]] | None:
        """Return the scope that binds a name, as seen from a scope, and its bindings there."""
        current: Scope | None = scope
        while current is not None:
            if current.kind is not ScopeKind.CLASS or current is scope:
                home = current.foreign.get(name, current)
                bindings = home.bindings.get(name)
                if bindings is not None:
                    return home, bindings
            current = current.parent
        return None
