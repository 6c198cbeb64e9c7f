"""What an action's answer is made into for programs: all of what it was done to, as it is now."""

from __future__ import annotations

from server.actions import lists, rule_calls, tokens, webhooks
from server.actions.desk import Look
from server.domain.errors import NotFound
from server.http.api.rows import Json
from server.storage import customers, people, views
from server.storage import tokens as stored_tokens
from server.storage import webhooks as stored_webhooks


def conversation(look: Look, answer: Json) -> Json:
    """The conversation that something was done to."""
    return views.one_summary(look.connection, answer["conversation_id"])


def message(look: Look, answer: Json) -> Json:
    """The message that was written."""
    return lists.one_message(look, answer["message_id"])


def customer(look: Look, answer: Json) -> Json:
    """The customer that something was done to. Raises NotFound."""
    found = customers.load_customer(look.connection, answer["customer_id"])
    if found is None:
        raise NotFound("There is no such customer.")
    return views.card(look.connection, found, look.actor)


def article(look: Look, answer: Json) -> Json:
    """The article that something was done to."""
    return lists.get_article(look, lists.ArticleRef(article_id=answer["article_id"]))


def agent(look: Look, answer: Json) -> Json:
    """The person that something was done to. Raises NotFound."""
    person = people.load_person(look.connection, answer["agent_id"])
    if person is None:
        raise NotFound("There is no such agent.")
    return views.person_view(person)


def token(look: Look, answer: Json) -> Json:
    """The token that was made, with what is shown of it once. Raises NotFound."""
    found = stored_tokens.load_token(look.connection, answer["token_id"])
    if found is None:
        raise NotFound("There is no such token.")
    return tokens.token_view(found) | {"token": answer["token"]}


def webhook(_look: Look, answer: Json) -> Json:
    """The receiver that something was done to, with a new secret."""
    shown: Json = answer["webhook"]
    return shown | {"secret": answer["secret"]} if "secret" in answer else shown


def delivery(look: Look, answer: Json) -> Json:
    """The delivery that something was done to. Raises NotFound."""
    found = stored_webhooks.load_delivery(look.connection, answer["delivery_id"])
    if found is None:
        raise NotFound("There is no such delivery.")
    return webhooks.delivery_view(found)


def rule(look: Look, answer: Json) -> Json:
    """The rule that something was done to."""
    return rule_calls.get_rule(look, rule_calls.RuleRef(rule_id=answer["rule_id"]))
