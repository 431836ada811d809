"""Market data: given paths, bars from Parquet files, windows of real days."""
