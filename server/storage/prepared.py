"""Statements of the message path: written once for each database and run by its driver.

SQLAlchemy takes 40 to 90 microseconds to run a statement, several times what SQLite needs to answer
it. Everything off the message path goes through SQLAlchemy all the same. What the driver raises is
raised as SQLAlchemy would, since what follows from an error is decided in one place (``database``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any  # Any: column values, what a driver has no types for

import orjson
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

Row = tuple[Any, ...]  # Any: column values
Values = Mapping[str, Any]  # Any: column values

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement in the words of both databases.

    SQLite's writes take the ``columns`` of each row in this order, which costs less than by name;
    PostgreSQL's take all rows as one JSON array of objects, in one trip.
    """

    sqlite: str
    postgresql: str
    columns: tuple[str, ...] = ()


def insert(table: Table, *, conflict: str = "") -> Statement:
    """Writes rows of a table with all of its columns; ``conflict`` is an ON CONFLICT clause."""
    columns = tuple(column.name for column in table.columns)
    names = ", ".join(columns)
    into = f"INSERT INTO {table.name} ({names})"
    values = ", ".join("?" for _ in columns)
    return Statement(
        sqlite=f"{into} VALUES ({values}) {conflict}",
        postgresql=f"{into} SELECT {names} FROM {_rows(table)} {conflict}",  # noqa: S608  # our names
        columns=columns,
    )


def upsert(
    table: Table,
    *,
    fixed: Collection[str] = (),
    kept_if_null: Collection[str] = (),
    where: str = "",
) -> Statement:
    """Writes rows of a table, over those that have the same primary key.

    A row that is there keeps its ``fixed`` columns, ``kept_if_null`` where the new value is NULL,
    and all of them where ``where`` does not hold.
    """
    keys = [column.name for column in table.primary_key.columns]
    changes = ", ".join(
        f"{name} = coalesce(excluded.{name}, {table.name}.{name})"
        if name in kept_if_null
        else f"{name} = excluded.{name}"
        for name in (column.name for column in table.columns)
        if name not in keys and name not in fixed
    )
    condition = f" WHERE {where}" if where else ""
    return insert(
        table, conflict=f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}{condition}"
    )


def delete(table: Table) -> Statement:
    """Deletes the rows with these primary keys, which have several columns."""
    keys = tuple(column.name for column in table.primary_key.columns)
    matching = " AND ".join(f"{name} = ?" for name in keys)
    joined = " AND ".join(f"{table.name}.{name} = r.{name}" for name in keys)
    return Statement(
        sqlite=f"DELETE FROM {table.name} WHERE {matching}",  # noqa: S608  # our own names
        postgresql=f"DELETE FROM {table.name} USING {_rows(table)} WHERE {joined}",  # noqa: S608  # likewise
        columns=keys,
    )


def _rows(table: Table) -> str:
    """The rows of a JSON parameter, with the table's columns, called ``r``."""
    columns = ", ".join(f"{c.name} {c.type.compile(_POSTGRESQL)}" for c in table.columns)
    return f"json_to_recordset(%s::json) AS r({columns})"


class Driver:
    """The driver's cursor of a connection, within the transaction that is begun there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        raw: Any = connection.connection.driver_connection  # Any: either driver's
        self._raw = raw
        self._cursor = raw.cursor()
        self._error: type[Exception] = connection.dialect.loaded_dbapi.Error
        self.is_sqlite = connection.dialect.name == "sqlite"

    def run(self, statement: Statement) -> None:
        """Runs a statement that takes and gives nothing."""
        sql = statement.sqlite if self.is_sqlite else statement.postgresql
        try:
            self._cursor.execute(sql)
        except self._error as error:
            raise self._told(sql, error) from error

    def rows(self, statement: Statement, *values: object) -> list[Row]:
        """All rows of a query with positional values."""
        sql = statement.sqlite if self.is_sqlite else statement.postgresql
        try:
            self._cursor.execute(sql, values)
            found: list[Row] = self._cursor.fetchall()
        except self._error as error:
            raise self._told(sql, error) from error
        return found

    def write(self, statement: Statement, rows: Sequence[Values]) -> None:
        """Runs a write for each of the rows; nothing when there are none."""
        if not rows:
            return
        sql = statement.sqlite if self.is_sqlite else statement.postgresql
        try:
            if self.is_sqlite:
                values = map(itemgetter(*statement.columns), rows)
                # Of one column, itemgetter gives the bare value.
                tuples = values if len(statement.columns) > 1 else ((one,) for one in values)
                self._cursor.executemany(sql, tuples)
            else:
                self._cursor.execute(sql, (orjson.dumps(rows).decode(),))
        except self._error as error:
            raise self._told(sql, error) from error

    def several(self, values: Collection[Any]) -> str | list[Any]:  # Any: JSON values
        """Values as one parameter: a JSON array for SQLite's ``json_each``, else a list."""
        return orjson.dumps(list(values)).decode() if self.is_sqlite else list(values)

    def _told(self, sql: str, error: Exception) -> Exception:
        dialect = self._connection.dialect
        gone = dialect.is_disconnect(error, self._raw, self._cursor)  # type: ignore[arg-type]  # DBAPI's
        told: Exception = DBAPIError.instance(
            sql,
            None,
            error,
            self._error,
            hide_parameters=True,
            connection_invalidated=gone,
            dialect=dialect,
        )
        return told
