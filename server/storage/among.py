"""``column IN (many values)`` as one parameter, whichever database answers.

SQLAlchemy writes a parameter for each of several values and the driver looks for all of them in the
text: with thousands of values that costs more than the database's answer.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any  # Any: columns and values

import orjson
from sqlalchemy import Dialect, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import Boolean, TypeDecorator, TypeEngine


class _Several(TypeDecorator[Collection[str]]):
    """Texts as one value: a JSON array for SQLite, an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:  # Any: either type's
        """The type as the database has it."""
        is_postgresql = dialect.name == "postgresql"
        return dialect.type_descriptor(ARRAY(Text()) if is_postgresql else Text())

    def process_bind_param(
        self, value: Collection[str] | None, dialect: Dialect
    ) -> str | list[str] | None:
        """The values as the driver takes them."""
        if value is None:
            return None
        several = list(value)
        return several if dialect.name == "postgresql" else orjson.dumps(several).decode()


class Among(ColumnElement[bool]):
    """True where a column of texts has one of the values of a parameter."""

    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012  # SQLAlchemy's
        ("column", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[str], values: ColumnElement[Any]) -> None:
        self.column = column
        self.values = values

    def self_group(self, against: OperatorType | None = None) -> Among:  # noqa: ARG002  # SQLAlchemy's
        """Itself: it is a condition already, and as ``... = 1`` SQLite would use no index."""
        return self


def among(column: ColumnElement[Any], name: str) -> Among:
    """The condition; the parameter ``name`` takes any collection of texts."""
    return Among(column, bindparam(name, type_=_Several()))


@compiles(Among)
def _compiled(element: Among, compiler: Any, **options: Any) -> str:  # Any: SQLAlchemy's compiler
    column = compiler.process(element.column, **options)
    values = compiler.process(element.values, **options)
    if compiler.dialect.name == "postgresql":
        return f"{column} = ANY ({values})"
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608  # compiled
