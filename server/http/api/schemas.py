"""JSON schemas of classes, collected as the components of a document (JSON Schema 2020-12)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any  # Any: JSON schemas

from pydantic import TypeAdapter

Schema = dict[str, Any]  # Any: JSON
REF = "#/components/schemas/{model}"


class Schemas:
    """The components of one document; ``of`` gives what stands in the place of a class.

    ``discriminators`` says whether the document may say by which field a class is told: OpenAPI's
    way of saying so is not that of others.
    """

    def __init__(self, *, discriminators: bool = True) -> None:
        """Nothing is described yet."""
        self.components: dict[str, Schema] = {}
        self._dropped = frozenset() if discriminators else frozenset({"discriminator"})

    def of(self, described: Any) -> Schema:  # Any: a class, or a type made of classes
        """A reference to the class, or the schema of anything else, its parts kept as components.

        Raises ValueError when two classes of one name differ.
        """
        schema = TypeAdapter(described).json_schema(ref_template=REF)
        for name, part in schema.pop("$defs", {}).items():
            self._keep(name, part)
        if isinstance(described, type) and schema.get("type") == "object":
            self._keep(described.__name__, schema)
            return {"$ref": REF.format(model=described.__name__)}
        found: Schema = plain(schema, self._dropped)
        return found

    def fields(self, described: type[Any]) -> tuple[dict[str, Schema], set[str]]:
        """The fields of a class with their schemas, and which of them must be there."""
        schema = TypeAdapter(described).json_schema(ref_template=REF)
        for name, part in schema.pop("$defs", {}).items():
            self._keep(name, part)
        found = plain(schema, self._dropped)
        return found.get("properties", {}), set(found.get("required", ()))

    def _keep(self, name: str, schema: Schema) -> None:
        kept = plain(schema, self._dropped)
        if self.components.setdefault(name, kept) != kept:
            raise ValueError(f"two classes are called {name}")


def plain(schema: Any, dropped: Collection[str] = ()) -> Any:  # Any: JSON
    """The schema without titles and null defaults, which repeat what is said already."""
    if isinstance(schema, list):
        return [plain(part, dropped) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in schema.items():
        if key in dropped or (key == "title" and isinstance(value, str)):
            continue
        if key == "default" and value is None:
            continue
        if key == "properties":
            kept[key] = {name: plain(part, dropped) for name, part in value.items()}
        else:
            kept[key] = plain(value, dropped)
    return kept


def without_null(schema: Schema) -> Schema:
    """The schema of a value that is left out rather than null."""
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    parts = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(parts) == 1:
        return {**parts[0], **rest}
    return {**rest, "anyOf": parts} if parts else rest
