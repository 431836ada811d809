"""The page: one HTML file with its charts, its table and the libraries that draw them, nothing fetched from anywhere."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from fastexec.analysis.format import csv_of
from fastexec.analysis.report.charts import Chart
from fastexec.analysis.report.plotly_view import view
from fastexec.analysis.report.sections import Section
from fastexec.analysis.report.styles import swatch
from fastexec.analysis.report.top import Top
from fastexec.errors import InputError

#: The first line of every report: what may be written over without asking.
MARK = "<!doctype html><!-- fastexec report -->"


def require_libraries() -> None:
    """InputError, one line, where the libraries of the page are not installed."""
    try:
        import itables  # noqa: F401
        import jinja2  # noqa: F401
        import plotly.offline  # noqa: F401
    except ImportError as error:
        raise InputError(f'the report needs {error.name}; install it: pip install "fastexec[report]"') from None


def page(top: Top, sections: Sequence[Section]) -> str:
    """The whole page as text."""
    import jinja2
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    here = files("fastexec.analysis.report")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: here.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    charts = {chart.key: _drawn(chart) for section in sections for chart in section.charts if chart.views}
    return MARK + environment.get_template("page.html.j2").render(
        top=top,
        sections=sections,
        charts=_json(charts),
        csv=lambda chart: _csv(chart.table),
        table_csv=_csv(top.table),
        toml_link=_link("application/toml", top.study.encode()),
        swatch=lambda style: Markup(swatch(style)),
        style=Markup(here.joinpath("page.css").read_text("utf-8")),
        script=Markup(here.joinpath("page.js").read_text("utf-8")),
        plotly=Markup(get_plotlyjs().replace("</script", "<\\/script")),
        # DataTables, as itables ships it.
        tables_module=_link("text/javascript", files("itables").joinpath("html", "dt_bundle.js").read_bytes()),
    )


def _breakable(name: str) -> Any:
    """A name that may go on in another line behind a dot, a hyphen or an underscore, and nowhere else."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[._-])(?=[^._-])", name))


def _drawn(chart: Chart) -> list[dict[str, Any]]:
    return [view(panels, chart.height) for panels in chart.views.values()]


def _json(value: Any) -> Any:
    """JSON that may stand in a script element whatever names are in it."""
    from markupsafe import Markup

    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _csv(table: Any) -> str:
    """A link that holds a table as CSV, six digits a number."""
    return _link("text/csv", csv_of(table, digits=6).encode())


def _link(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
