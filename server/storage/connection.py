"""What the layers above hand on to storage without looking inside."""

from sqlalchemy import Connection

__all__ = ["Connection"]
