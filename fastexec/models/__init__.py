"""What a person describes: frozen, validated, documented with units."""
