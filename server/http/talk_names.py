"""What a chat is called on pages that name many."""

from __future__ import annotations

from agent_ui.render import Locale, sentence
from server.storage.conversations import Found


def talk_name(locale: Locale, found: Found) -> str:
    """A chat by whom it is with; who has given no name is called as in the console."""
    code = found.conversation.customer_id[-4:].upper()
    name = found.customer_name or sentence(locale, "tickets.anonymous", id=code)
    return sentence(locale, "target.talk", name=name)
