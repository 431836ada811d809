"""Counts with their noun, and the known name nearest to one that is not known: one function asked by every message."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, strategies as st

from fastexec.wording import counted, did_you_mean, edits, nearest
from test_architecture import PACKAGE, imported, parse, sources

MODELS = [
    "twap",
    "vwap",
    "pov",
    "almgren_chriss",
    "static_optimum",
    "obizhaeva_wang",
    "schedule",
    "immediate",
    "random",
]


@pytest.mark.parametrize(("count", "noun", "said"), [
    (0, "day", "0 days"), (1, "day", "1 day"), (2, "day", "2 days"), (1_234, "episode", "1,234 episodes"),
])  # fmt: skip
def test_a_count_stands_with_its_noun(count, noun, said):
    assert counted(count, noun) == said


def test_a_noun_may_have_a_plural_of_its_own():
    assert (counted(1, "study", "studies"), counted(3, "study", "studies")) == ("1 study", "3 studies")


@pytest.mark.parametrize(("first", "second", "count"), [
    ("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("twpa", "twap", 1), ("ca", "abc", 3), ("flaw", "lawn", 2),
])  # fmt: skip
def test_edits_are_those_counted_by_hand(first, second, count):
    assert edits(first, second) == edits(second, first) == count


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_edits_keep_to_their_bounds(first, second):
    found = edits(first, second)
    assert abs(len(first) - len(second)) <= found <= max(len(first), len(second))
    assert (found == 0) == (first == second)


@pytest.mark.parametrize(("typed", "meant"), [
    ("twpa", "twap"), ("TWAP", "twap"), ("vwpa", "vwap"), ("povv", "pov"), ("almgren", "almgren_chriss"),
    ("almgren-chris", "almgren_chriss"), ("obizheava_wang", "obizhaeva_wang"), ("imediate", "immediate"),
    ("optimum", None), ("iceberg", None), ("", None), ("x", None),
])  # fmt: skip
def test_the_nearest_name_is_the_one_that_was_meant_or_none(typed, meant):
    assert nearest(typed, MODELS) == meant


def test_without_a_near_name_the_known_ones_are_named_not_more_than_a_few():
    assert did_you_mean("iceberg", ["twap", "pov"], "strategies are") == "strategies are twap, pov"
    assert did_you_mean("x", []) == "there are none"
    assert did_you_mean("iceberg", map("k{}".format, range(40))).endswith("k11, ... (40 in all)")


def test_nobody_looks_for_the_nearest_name_by_himself():
    """One function is asked by everybody: keys, strategies, presets, columns, verbs, scenarios, symbols."""
    assert [path.name for path in sources(PACKAGE) if "difflib" in " ".join(imported(parse(path)))] == []


def test_no_message_spells_a_plural_of_a_counted_noun_by_itself():
    """A count of days, chunks, files... in a message goes through ``counted``, or "1 days" is printed one day."""
    found = []
    for path in [*sources(PACKAGE / "cli"), *sources(PACKAGE / "analysis")]:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.JoinedStr):
                for value, text in zip(node.values, node.values[1:], strict=False):
                    follows = text.value.split()[:1] if isinstance(text, ast.Constant) else []
                    if isinstance(value, ast.FormattedValue) and follows and follows[0].strip(",;:.") in NOUNS:
                        if text.value.startswith(" ") and not ast.unparse(value.value).isupper():
                            found.append(f"{path.name}:{node.lineno}: {ast.unparse(value)} {follows[0]}")
    assert found == []


NOUNS = set("days episodes chunks scenarios files faults rounds strategies windows intervals agents rows pages".split())
