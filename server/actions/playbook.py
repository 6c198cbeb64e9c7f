"""Changing the playbook: a row at a time, or back to what was before."""

from __future__ import annotations

from collections.abc import Mapping

from server.domain.actors import Actor
from server.domain.errors import Conflict, InvalidInput, NotFound
from server.domain.permissions import require
from server.domain.playbook import COLUMNS, DEFAULTS, MAX_TEXT, ROWS, Playbook, Words
from server.domain.text import clean
from server.storage import playbooks
from server.storage.unit import Tx

MANAGE = "playbook.manage"
LOCALES = ("en", "zh")


def written_row(row: str, texts: Mapping[str, str]) -> dict[str, Words]:
    """What of a row's texts, by ``column_locale``, is not what comes with the program.

    An empty text means the program's own. Raises NotFound for a row that there is not, InvalidInput
    for a text that is too long.
    """
    if row not in ROWS:
        raise NotFound("There is no such row of the playbook.")
    found: dict[str, Words] = {}
    for column in COLUMNS:
        for locale in LOCALES:
            name = f"{column}_{locale}"
            text = clean(texts.get(name, ""), limit=MAX_TEXT, name=name, empty=True)
            if "\n" in text:
                raise InvalidInput("One line, please.", field=name, reason="one_line")
            if text and text != DEFAULTS[row][column][locale]:
                found.setdefault(column, {})[locale] = text
    return found


def save_row(tx: Tx, actor: Actor, row: str, texts: Mapping[str, str], *, version: int) -> int:
    """The number of the version that holds now. Raises Conflict when ``version`` is not the latest.

    What changes nothing makes no version.
    """
    mine = written_row(row, texts)
    own = _own(tx, actor, version)
    changed = {name: columns for name, columns in own.items() if name != row}
    if mine:
        changed[row] = mine
    return _keep(tx, actor, own, changed, version=version)


def restore_defaults(tx: Tx, actor: Actor, row: str | None, *, version: int) -> int:
    """Goes back to what comes with the program, in one row or in all; the version that holds."""
    if row is not None and row not in ROWS:
        raise NotFound("There is no such row of the playbook.")
    own = _own(tx, actor, version)
    kept = {name: columns for name, columns in own.items() if row is not None and name != row}
    return _keep(tx, actor, own, kept, version=version)


def restore_version(tx: Tx, actor: Actor, number: int, *, version: int) -> int:
    """Goes back to an older version, as a new one; the version that holds. Raises NotFound."""
    own = _own(tx, actor, version)
    older = playbooks.own_texts(tx.connection, number)
    if older is None:
        raise NotFound("There is no such version of the playbook.")
    return _keep(tx, actor, own, older, version=version, restored=number)


def _own(tx: Tx, actor: Actor, version: int) -> Playbook:
    require(actor, MANAGE)
    if playbooks.current_version(tx.connection) != version:
        raise Conflict(
            "Somebody has changed the playbook in the meantime. Look at it once more.",
            reason="playbook_changed",
        )
    return playbooks.own_texts(tx.connection) or {}


def _keep(
    tx: Tx,
    actor: Actor,
    before: Playbook,
    after: Playbook,
    *,
    version: int,
    restored: int | None = None,
) -> int:
    if before == after:
        return version
    playbooks.add_version(tx, version + 1, after, agent_id=actor.id, restored=restored)
    return version + 1
