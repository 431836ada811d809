"""How strategies look: colours, dashes and symbols that tell them apart, also in grey and to colour-blind readers.

The colours were searched for: four steps of lightness (39, 50, 61, 72 of CIELAB), four colours each, as far apart as can be to
normal, deuteranopic and protanopic eyes (Machado et al. 2009), none pale on white or dim on black. Four strategies in a row
share a dash and differ in lightness, so that the first 24 are told apart without any colour; symbols go round by 11.
"""

from __future__ import annotations

from dataclasses import dataclass

COLOURS = (
    "#036579", "#DF3613", "#4095F4", "#DDA0B1", "#1D693A", "#396BFD", "#A79067", "#D1AD1D",
    "#8D27BA", "#777777", "#908FBB", "#51BAF5", "#BA0232", "#9162BD", "#3EA839", "#FB9860",
)  # fmt: skip
#: Lengths of lines and gaps, in widths of a line.
DASHES = {
    "solid": (), "dash": (5.0, 3.0), "dot": (1.5, 2.5), "dashdot": (6.0, 2.5, 1.5, 2.5), "longdash": (11.0, 3.5),
    "longdashdot": (11.0, 2.5, 1.5, 2.5, 1.5, 2.5),
}  # fmt: skip
#: matplotlib's marker, and the outline within a circle of radius 1, y downwards.
SYMBOLS = {
    "circle": ("o", ""),
    "square": ("s", "-.8,-.8 .8,-.8 .8,.8 -.8,.8"),
    "diamond": ("D", "0,-1.1 1.1,0 0,1.1 -1.1,0"),
    "triangle-up": ("^", "0,-1.1 1,.8 -1,.8"),
    "cross": ("P", "-.35,-1 .35,-1 .35,-.35 1,-.35 1,.35 .35,.35 .35,1 -.35,1 -.35,.35 -1,.35 -1,-.35 -.35,-.35"),
    "triangle-down": ("v", "0,1.1 1,-.8 -1,-.8"),
    "x": ("X", "-1,-.5 -.5,-1 0,-.5 .5,-1 1,-.5 .5,0 1,.5 .5,1 0,.5 -.5,1 -1,.5 -.5,0"),
    "star": ("*", "0,-1.2 .3,-.4 1.14,-.37 .48,.15 .7,.97 0,.5 -.7,.97 -.48,.15 -1.14,-.37 -.3,-.4"),
    "triangle-left": ("<", "-1.1,0 .8,-1 .8,1"),
    "pentagon": ("p", "0,-1.1 1.05,-.34 .65,.9 -.65,.9 -1.05,-.34"),
    "triangle-right": (">", "1.1,0 -.8,-1 -.8,1"),
}
#: Of the parts of a cost, stacked in this order: light and dark in turn, and none a strategy's.
PART_COLOURS = (
    "#35618F", "#A9C4E4", "#4F7A55", "#D8C56A", "#9C4F4F", "#C9BFE0", "#5C5C5C", "#E3A987", "#6E4B8B", "#B9D3A4",
)  # fmt: skip
NEUTRAL = "#8A8A8A"


@dataclass(frozen=True)
class Style:
    """How a strategy looks everywhere."""

    colour: str
    dash: str = "solid"
    symbol: str = "circle"


def style_of(number: int) -> Style:
    """The style of the strategy at a place of the study; the first 48 differ in colour or dash, the first 24 in grey too."""
    dashes, symbols = list(DASHES), list(SYMBOLS)
    return Style(COLOURS[number % len(COLOURS)], dashes[number // 4 % len(dashes)], symbols[number % len(symbols)])


def swatch(style: Style) -> str:
    """A piece of its line with its symbol on it, as SVG."""
    dash = ",".join(f"{2.0 * length:g}" for length in DASHES[style.dash])
    outline = SYMBOLS[style.symbol][1]
    shape = f'<polygon points="{outline}"/>' if outline else '<circle r="1"/>'
    return (
        f'<svg class="swatch" width="34" height="14" viewBox="0 0 34 14" aria-hidden="true"><line x1="0" x2="34" y1="7" y2="7" '
        f'stroke="{style.colour}" stroke-width="2" stroke-dasharray="{dash or "none"}"/>'
        f'<g transform="translate(17 7) scale(5)" '
        f'fill="{style.colour}">{shape}</g></svg>'
    )
