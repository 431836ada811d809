"""The jobs that are measured; ``jobs.job`` says what one is, ``jobs.catalogue`` lists them all."""
