"""The documentation site: where it has the page of a rule."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from trainlint.core.rule import Rule

VARIABLE: Final = "TRAINLINT_SITE"
"""The environment variable that names the address of a site; without it there are no links."""

OURS: Final = "trainlint.rules"
"""The package whose rules the site has pages of."""


def site_url() -> str | None:
    """Return the address of the site with a slash at its end, or None where none is known."""
    address = os.environ.get(VARIABLE, "").strip()
    if not address:
        return None
    if not address.startswith(("http://", "https://")) or len(address.split()) > 1:
        msg = f"{VARIABLE}: expects an address that begins with https://, not `{address}`"
        raise UserError(msg)
    return address.rstrip("/") + "/"


def page_url(rule: Rule) -> str | None:
    """Return the address of a rule's page, or None where no site is known or has it."""
    site = site_url()
    if site is None or rule.package != OURS:
        return None
    return f"{site}rules/{rule.family}/{rule.name}/"
