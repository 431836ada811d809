"""What a careful person would use instead of the engine; nothing of the package is imported here."""
