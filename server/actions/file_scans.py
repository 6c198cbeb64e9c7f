"""What follows from the word of the virus scanner."""

from __future__ import annotations

from agent_ui.render import language, sentence
from server.actions import messages
from server.domain.actors import SYSTEM
from server.storage import files
from server.storage.unit import Tx


def judge(tx: Tx, sha256: str, state: str) -> int:
    """Notes what the scanner said of bytes; how many files have them.

    Where one that is not safe stands in a message already, its readers see so in its place, and
    staff are told beside it.
    """
    found = files.judge(tx, sha256, state)
    for file in found:
        if state != "infected" or file.conversation_id is None:
            continue
        conversation = tx.conversation(file.conversation_id)
        if conversation is not None:
            locale = language(conversation.locale)
            messages.put(
                tx,
                SYSTEM,
                conversation,
                client_id=None,
                body=sentence(locale, "written.infected", name=file.name),
                visibility="private",
                origin="system",
            )
    return len(found)
