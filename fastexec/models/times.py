"""Parts of a day, as people write them."""

from __future__ import annotations

import re

RIGHT = "write for example 10:30-11:30"


def seconds_between(text: str) -> tuple[int, int] | None:
    """(first second, end) since local midnight out of 10:30-11:30; None where it is no part of a day."""
    match = re.fullmatch(r"(\d\d?):(\d\d)-(\d\d?):(\d\d)", text, re.ASCII)
    if match is None:
        return None
    h0, m0, h1, m1 = (int(x) for x in match.groups())
    first, end = 3600 * h0 + 60 * m0, 3600 * h1 + 60 * m1
    return (first, end) if m0 < 60 and m1 < 60 and first < end <= 86_400 else None


def clock(second: int) -> str:
    """A second since midnight as hh:mm:ss."""
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
