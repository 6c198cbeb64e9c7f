"""Alembic migrations, forward only; none of them imports the tables."""
