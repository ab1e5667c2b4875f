"""What the HTML pages share: templates of Jinja, charts of plotly; both come with an extra."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from trainlint.core.errors import UserError

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup


def template(package: str, asked: str) -> Template:
    """Return the template of a page, in which what comes from the user is escaped.

    Raises:
        UserError: The extra `report` is not installed, and ``asked`` needs it.

    """
    try:
        import plotly.offline  # noqa: F401, PLC0415 - looked for before anything is read
        from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra

        from trainlint.output.report.telling import marked  # noqa: PLC0415
    except ImportError as error:
        msg = f"{asked} needs plotly and Jinja2; to install them: pip install 'trainlint[report]'"
        raise UserError(msg) from error
    environment = Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["marked"] = marked
    return environment.get_template("page.html.j2")


def ours(package: str, *names: str) -> Markup:
    """Return our own styles or scripts, which stand in a page as they are."""
    from markupsafe import Markup  # noqa: PLC0415 - an extra

    texts = (files(package).joinpath(one).read_text("utf-8") for one in names)
    return Markup("".join(texts))  # noqa: S704 - ours
