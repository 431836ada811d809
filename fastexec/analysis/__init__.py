"""What the Parquet files say: comparisons, and the report."""
