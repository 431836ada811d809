"""What the Parquet files say: comparisons, and later figures and the report."""
