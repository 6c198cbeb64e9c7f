"""The AsyncAPI 3 document of the sockets, made from their commands and the kinds of event.

The edges do not know each other: the composition root hands the commands over as names and payload
classes.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent_ui.render import sentence
from server.actions.payload import Payload
from server.http.api.rows import Json
from server.http.api.schemas import Schemas
from server.http.api.sockets import ANSWERS, SIGNALS, AgentWelcome, VisitorWelcome
from server.storage.event_shapes import shopper_events, staff_events
from server.storage.shapes import Conversation, Shape

Commands = Mapping[str, Mapping[str, type[Payload]]]
"""For each namespace the payload of each command."""
WELCOMES: dict[str, type[Shape]] = {"/visitor": VisitorWelcome, "/agent": AgentWelcome}


def asyncapi(commands: Commands) -> Json:
    """The whole document: a channel for each namespace, an operation for each command and kind."""
    schemas = Schemas(discriminators=False)
    channels: Json = {}
    operations: Json = {}
    for namespace, payloads in commands.items():
        _describe(namespace, payloads, channels, operations, schemas)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shopbell sockets",
            "version": "1",
            "description": sentence("en", "api.sockets_description"),
        },
        "defaultContentType": "application/json",
        "servers": {
            "this": {
                "host": "{host}",
                "pathname": "/socket.io/",
                "protocol": "ws",
                "protocolVersion": "5",
                "description": sentence("en", "api.sockets_server"),
                "variables": {"host": {"default": "127.0.0.1:8080"}},
            }
        },
        "channels": channels,
        "operations": operations,
        "components": {"schemas": dict(sorted(schemas.components.items()))},
    }


def _describe(
    namespace: str,
    payloads: Mapping[str, type[Payload]],
    channels: Json,
    operations: Json,
    schemas: Schemas,
) -> None:
    channel = namespace.strip("/")
    messages: Json = {}
    channels[channel] = {
        "address": namespace,
        "title": namespace,
        "description": sentence("en", f"api.channel.{channel}"),
        "messages": messages,
    }
    at = f"#/channels/{channel}"

    def add(name: str, kind: str, summary: str, payload: Json) -> Json:
        messages[name] = {"name": kind, "summary": summary, "payload": payload}
        return {"$ref": f"{at}/messages/{name}"}

    for command, payload in payloads.items():
        key = _key(command)
        asked = add(
            key, command, sentence("en", f"api.command.{channel}.{command}"), schemas.of(payload)
        )
        answered = add(
            f"{key}Answer",
            command,
            sentence("en", "api.acknowledged"),
            _acknowledgement(schemas.of(ANSWERS[namespace, command])),
        )
        operations[f"{channel}.{command}"] = {
            # The server's side of it: what clients send, it receives.
            "action": "receive",
            "channel": {"$ref": at},
            "summary": sentence("en", f"api.command.{channel}.{command}"),
            "messages": [asked],
            "reply": {"channel": {"$ref": at}, "messages": [answered]},
        }
    told = [
        add("welcome", "welcome", sentence("en", "api.welcome"), schemas.of(WELCOMES[namespace]))
    ]
    kinds = staff_events() if namespace == "/agent" else shopper_events()
    for kind, shape in kinds.items():
        envelope = schemas.of(shape)
        if namespace == "/agent":
            envelope = {
                "allOf": [envelope],
                "properties": {"state": schemas.of(Conversation)},
            }
        told.append(
            add(f"event{_key(kind)}", "event", sentence("en", f"api.event.{kind}"), envelope)
        )
    for space, kind in SIGNALS:
        if space == namespace:
            signal = {
                "type": "object",
                "required": ["kind", "data"],
                "properties": {
                    "kind": {"const": kind},
                    "data": schemas.of(SIGNALS[space, kind]),
                },
            }
            words = sentence("en", f"api.signal.{kind}")
            told.append(add(f"signal{_key(kind)}", "signal", words, signal))
    operations[f"{channel}.told"] = {
        "action": "send",
        "channel": {"$ref": at},
        "summary": sentence("en", "api.told"),
        "messages": told,
    }


def _key(name: str) -> str:
    """A name without dots, as keys of the document are written.

    >>> _key("message.mark_read")
    'MessageMarkRead'
    """
    return "".join(part.title() for part in name.replace(".", "_").split("_"))


def _acknowledgement(answer: Json) -> Json:
    error = {
        "type": "object",
        "required": ["code", "message", "details"],
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "details": {"type": "object"},
        },
    }
    return {
        "oneOf": [
            {
                "allOf": [answer],
                "type": "object",
                "required": ["ok"],
                "properties": {"ok": {"const": True}},
            },
            {
                "type": "object",
                "required": ["ok", "error"],
                "properties": {"ok": {"const": False}, "error": error},
            },
        ]
    }
