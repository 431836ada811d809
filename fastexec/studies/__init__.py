"""Studies: their files, how they are run, and what they leave on disk."""
