"""Importers: each reads one kind of source and returns typed batches, never writing to a store."""
