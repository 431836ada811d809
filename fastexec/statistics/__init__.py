"""Moments, paired comparisons and their intervals; knows no folder."""
