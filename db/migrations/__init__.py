"""Alembic migrations of the store's database, packaged so that a wheel carries them."""
