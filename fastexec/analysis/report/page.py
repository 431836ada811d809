"""The page: one HTML file with its charts, its table and the libraries that draw them, nothing fetched from anywhere."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from fastexec.analysis.comparison import CONTROLS, cautions
from fastexec.analysis.report.charts import Chart
from fastexec.analysis.report.costs import method_note
from fastexec.analysis.report.material import Material
from fastexec.analysis.report.plotly_view import view
from fastexec.analysis.report.sections import Section
from fastexec.analysis.report.sentence import adapting, answer, bps, optimum, percent
from fastexec.errors import InputError

#: The first line of every report: what may be written over without asking.
MARK = "<!doctype html><!-- fastexec report -->"
_WIDE, _TALL = 180.0, 20.0  # of an interval drawn in the table


def require_libraries() -> None:
    """InputError, one line, where the libraries of the page are not installed."""
    try:
        import itables  # noqa: F401
        import jinja2  # noqa: F401
        import plotly.offline  # noqa: F401
    except ImportError as error:
        raise InputError(f'the report needs {error.name}; install it: pip install "fastexec[report]"') from None


def page(material: Material, sections: list[Section]) -> str:
    """The whole page as text."""
    import jinja2
    from plotly.offline import get_plotlyjs

    here = files("fastexec.analysis.report")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: here.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    charts = {chart.key: _drawn(chart) for section in sections for chart in section.charts if chart.views}
    return MARK + environment.get_template("page.html.j2").render(
        material=material,
        study=material.study,
        sections=sections,
        charts=_json(charts),
        csv=_csv,
        words={"answer": answer(material), "adapting": adapting(material), "optimum": optimum(material)},
        table=table_rows(material),
        headings=headings(material),
        order=_order(material),
        table_csv=_csv_of(material.comparison.table),
        method="" if material.per_step or not material.pairs.critical > 0 else method_note(material),
        cautions=cautions(material.study, {"": material.summary}),
        facts=_facts(material),
        toml=material.study.to_toml(),
        toml_link=_link("application/toml", material.study.to_toml().encode()),
        style=jinja2.utils.markupsafe.Markup(here.joinpath("page.css").read_text("utf-8")),
        script=jinja2.utils.markupsafe.Markup(here.joinpath("page.js").read_text("utf-8")),
        plotly=jinja2.utils.markupsafe.Markup(get_plotlyjs().replace("</script", "<\\/script")),
        tables_module=_link("text/javascript", _tables_library()),
    )


def _tables_library() -> bytes:
    """DataTables, as itables ships it."""
    return files("itables").joinpath("html", "dt_bundle.js").read_bytes()


def _drawn(chart: Chart) -> list[dict[str, Any]]:
    return [view(panels, chart.height) for panels in chart.views.values()]


def _json(value: Any) -> Any:
    """JSON that may stand in a script element whatever names are in it."""
    from markupsafe import Markup

    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _csv(chart: Chart) -> str:
    return _csv_of(chart.table) if chart.table is not None else ""


def _csv_of(table: Any) -> str:
    """A link that holds a table as CSV, six digits a number."""
    text = io.StringIO()
    table.to_pandas().to_csv(text, index=False, float_format="%.6g", lineterminator="\n")
    return _link("text/csv", text.getvalue().encode())


def _link(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


@dataclass(frozen=True)
class Row:
    """A strategy's line: texts of the cells with what they sort by, and its interval drawn: x of (low, saving, high)."""

    strategy: str
    colour: str
    mark: str
    baseline: bool
    cells: list[tuple[str, float]]
    drawn: tuple[float, float, float] | None
    zero: float
    verdict: str


def headings(material: Material) -> list[tuple[str, str]]:
    """(name, unit) of the columns of numbers."""
    unit = material.measure[1]
    costs = [("cost", unit), ("sd", unit)]
    if material.per_step:
        return [*costs, ("done", "%")]
    return [*costs, ("saving", "bps"), ("from", "bps"), ("to", "bps"), ("wins", "%"), ("done", "%")]


def table_rows(material: Material) -> list[Row]:
    """The comparison, cheapest first."""
    rows = {row["strategy"]: row for row in material.comparison.table.to_pylist()}
    ends = [0.0]
    if not material.per_step:
        found = [material.pairs.against(material.baseline, name) for name in rows]
        ends += [x for d in found if d.known for x in (d.low, d.high)]
    low, high = min(ends), max(ends)

    def at(value: float) -> float:
        return 6.0 + (_WIDE - 12.0) * (value - low) / ((high - low) or 1.0)

    costs = material.mean_costs()
    lines = [_row(material, k, rows.get(material.strategies[k]), at) for k in costs.argsort(kind="stable").tolist()]
    return lines


def _row(material: Material, k: int, row: dict[str, Any] | None, at: Any) -> Row:
    name, own = material.strategies[k], material.rows[k]
    sd = own["program_cost_sd" if material.per_step else "shortfall_sd_bps"]
    cells = [_cell(float(material.mean_costs()[k]), bps), _cell(sd, lambda x: f"{x:,.2f}")]
    drawn, verdict = None, "baseline" if row is None else ""
    if not material.per_step:
        found = None if row is None else material.pairs.against(material.baseline, name)
        if found is None or not found.known:
            cells += [("", float("-inf"))] * 3
            verdict = verdict or "no interval"
        else:
            cells += [_cell(x, lambda y: f"{y:+,.3f}") for x in (found.saving, found.low, found.high)]
            drawn = (at(found.low), at(found.saving), at(found.high))
            verdict = "no difference shown" if not found.shown else "cheaper" if found.low > 0.0 else "dearer"
        wins = None if row is None else row["win_rate"]
        cells.append(_cell(wins, lambda x: f"{100 * x:.1f}"))
    cells.append(_cell(own["completion"], lambda x: percent(x).removesuffix(" %")))
    mark = "*" if own["completion"] < 0.9995 or own["unfinished"] else ""
    mark += "+" if own["model"] in CONTROLS else ""
    return Row(name, material.style(name).colour, mark, row is None, cells, drawn, at(0.0), verdict)


def _cell(value: float | None, form: Any) -> tuple[str, float]:
    return ("–", float("-inf")) if value is None else (form(value), value)


def _facts(material: Material) -> list[tuple[str, str]]:
    """What stands at the foot."""
    footer = material.footer
    inputs = [(f"input {name}", f"SHA-256 {digest}") for name, digest in sorted(footer["inputs"].items())]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(footer["versions"].items()))
    return [
        ("study", f"{material.study.name}, identity {footer['identity']}"),
        ("seed", footer["seed"]),
        ("episodes", f"{material.episodes:,}, the first is 0"),
        ("versions", versions),
        ("kernels", footer["kernels"]),
        *(inputs or [("inputs", "none: every number comes from the study and its seed")]),
    ]


def _order(material: Material) -> str:
    """The order and its market in a line."""
    order, market = material.study.order, material.study.market
    shares = order.shares
    size = f"{shares:,.10g}" if isinstance(shares, (int, float)) else f"{shares.low:,.10g} to {shares.high:,.10g}"
    days = material.rows[0]["day_ids"]
    where = f"{market.model} of {len(days)} days" if days else "a simulated market"
    return (
        f"{order.side} {size} shares in {order.steps:,} steps of {order.step_seconds:,g} s, {material.episodes:,} episodes in "
        f"{where}; baseline {material.baseline}; at_horizon = {order.at_horizon}."
    )
