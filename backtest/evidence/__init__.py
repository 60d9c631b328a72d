"""Statistics that say how far to believe a result."""
