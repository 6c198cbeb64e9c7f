"""Places that shop data comes from: adding, changing and taking away what may post to us."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from server.actions.payload import Payload
from server.domain.actors import SYSTEM, Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.hooks import RECEIVERS, checked_name
from server.domain.permissions import require
from server.domain.spans import DAY_MS, HOUR_MS
from server.domain.text import clean
from server.storage import deliveries
from server.storage.shop_sources import (
    STALE_AFTER_MS,
    CustomerIds,
    Source,
    change_source,
    customer_ids_for,
    insert_source,
    load_source,
    load_sources,
)
from server.storage.unit import Tx

PERMISSION = "source.manage"
KINDS = tuple(RECEIVERS)
MAX_SOURCES = 50
MAX_SECRET_CHARS = 500
OLD_SECRET_MS = DAY_MS
"""How long the former secret is still taken."""
MAX_STALE_HOURS = 24 * 60

Secret = Annotated[str, Field(max_length=MAX_SECRET_CHARS)]
Hours = Annotated[int, Field(ge=1, le=MAX_STALE_HOURS)]


class AddSource(Payload):
    """A new source. Without ``secret`` one is made, without ``customer_ids`` they are chosen.

    The ids are those of signed identities for the first source, own ones for any further one.
    """

    name: str
    kind: str
    secret: Secret | None = None
    customer_ids: Literal["shop", "own"] | None = None
    stale_after_hours: Hours | None = None


class ChangeSource(Payload):
    """How long a source may be silent before what it told counts as old."""

    name: str
    stale_after_hours: Hours


class RotateSecret(Payload):
    """Another secret for a source; without ``secret`` one is made."""

    name: str
    secret: Secret | None = None


class NamedSource(Payload):
    """A source by its name."""

    name: str


def hook_path(source: Source) -> str:
    """The address that the shop posts to, below ours.

    >>> hook_path(Source(name="main", kind="shopify", customer_ids="shop", created_at_ms=0))
    '/hooks/shopify/main'
    """
    return f"/hooks/{source.kind}/{source.name}"


def add_source(tx: Tx, actor: Actor, asked: AddSource) -> tuple[Source, str]:
    """The new source and its secret. Raises NotAllowed, InvalidInput, Conflict.

    A name that files were imported under, or that was taken away, is taken up again with what came
    under it, so its customer ids keep their meaning.
    """
    _manage(actor)
    name = checked_name(asked.name)
    if asked.kind not in KINDS:
        raise InvalidInput(
            f"A kind is one of {', '.join(KINDS)}.", field="kind", reason="source_kind"
        )
    secret = _secret(asked.secret)
    known = load_source(tx.connection, name, removed=True)
    if known is not None and known.live:
        raise Conflict(
            "There is a source with this name. Choose another.",
            field="name",
            reason="source_taken",
        )
    if len(load_sources(tx.connection)) >= MAX_SOURCES:
        raise Conflict(f"At most {MAX_SOURCES} sources.", reason="source_limit")
    ids: CustomerIds = customer_ids_for(tx.connection, name)
    if known is not None:
        ids = known.customer_ids
        if asked.customer_ids not in (None, ids):
            raise Conflict(
                f"Customers of {name} are known by {ids} ids already. Choose another name.",
                field="name",
                reason="source_ids",
            )
    source = Source(
        name=name,
        kind=asked.kind,
        customer_ids=asked.customer_ids or ids,
        created_at_ms=known.created_at_ms if known else tx.at_ms,
        secret=secret,
        stale_after_ms=(asked.stale_after_hours or 0) * HOUR_MS or STALE_AFTER_MS,
    )
    if known is None:
        insert_source(tx, source)
    else:
        change_source(
            tx,
            name,
            kind=source.kind,
            secret=secret,
            old_secret=None,
            old_secret_until_ms=None,
            stale_after_ms=source.stale_after_ms,
            failures=0,
            refused=0,
            uninstalled_at_ms=None,
            removed_at_ms=None,
        )
        source = replace(known, kind=source.kind, secret=secret, removed_at_ms=None)
    return source, secret


def change(tx: Tx, actor: Actor, asked: ChangeSource) -> None:
    """Changes when a source counts as silent. Raises NotAllowed, NotFound."""
    _manage(actor)
    _known(tx, asked.name)
    change_source(tx, asked.name, stale_after_ms=asked.stale_after_hours * HOUR_MS)


def rotate_secret(tx: Tx, actor: Actor, asked: RotateSecret) -> str:
    """The new secret; the former one is taken for another day. Raises NotAllowed, NotFound."""
    _manage(actor)
    source = _known(tx, asked.name)
    if not source.live:
        raise Conflict(
            "Nothing posts to a source of files, so it has no secret.", reason="source_files"
        )
    secret = _secret(asked.secret)
    change_source(
        tx,
        source.name,
        secret=secret,
        old_secret=source.secret,
        old_secret_until_ms=tx.at_ms + OLD_SECRET_MS,
        refused=0,
    )
    return secret


def end_old_secret(tx: Tx, actor: Actor, asked: NamedSource) -> None:
    """Takes signatures of the present secret only, at once. Raises NotAllowed, NotFound."""
    _manage(actor)
    source = _known(tx, asked.name)
    change_source(tx, source.name, old_secret=None, old_secret_until_ms=None)


def remove_source(tx: Tx, actor: Actor, asked: NamedSource) -> None:
    """Takes a source away with its raw deliveries. Raises NotAllowed, NotFound.

    Orders, customers and products that came from it stay.
    """
    _manage(actor)
    source = _known(tx, asked.name)
    deliveries.forget_source(tx, source.name)
    change_source(
        tx,
        source.name,
        secret=None,
        old_secret=None,
        old_secret_until_ms=None,
        removed_at_ms=tx.at_ms,
    )


def _manage(actor: Actor) -> None:
    if actor.kind != SYSTEM.kind:
        require(actor, PERMISSION)


def _known(tx: Tx, name: str) -> Source:
    source = load_source(tx.connection, name.replace("\0", "")[:100])
    if source is None:
        raise NotFound(f"There is no source {name[:60]!r}.")
    return source


def _secret(given: str | None) -> str:
    """The secret to use; a good one is made where none is given."""
    if not given:
        return secrets.token_hex(32)
    return clean(given, limit=MAX_SECRET_CHARS, name="secret")
