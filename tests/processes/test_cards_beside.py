"""A customer card that is open in one process hears what another process changes."""

from __future__ import annotations

from collections.abc import Callable

from tests.processes.several import Several
from tests.realtime.client import Client


async def test_a_card_open_in_one_process_hears_of_a_note_written_in_the_other(
    several: Callable[..., Several],
) -> None:
    shop = several(processes=2)
    here, there = (server.url for server in shop.servers)
    shopper = Client(here, "/visitor", {"site": shop.desk.site})
    looks, writes, elsewhere = (
        Client(url, "/agent", {"token": shop.desk.people[who].token})
        for url, who in ((here, "mei"), (there, "ana"), (here, "ida"))
    )
    for client in (shopper, looks, writes, elsewhere):
        await client.connect()
    try:
        first = await shopper.do("message.post", client_id="1", body="Hello")
        talk = first["conversation_id"]
        customer = {"customer_id": shopper.welcome["customer_id"]}
        opened = await looks.do("conversation.open", conversation_id=talk)
        await looks.do("viewing.set", conversation_id=talk, viewing=True)
        assert opened["customer"]["note"] is None
        await writes.do("customer.note", **customer, body="Rings twice", version=0)
        told = await looks.until(lambda: looks.signals("card.changed"), "the card's signal")
        assert told[0]["customer_ids"] == [customer["customer_id"]]
        card = (await looks.do("customer.card", **customer))["customer"]
        assert card["note"]["body"] == "Rings twice"
        assert elsewhere.signals("card.changed") == []
    finally:
        for client in (shopper, looks, writes, elsewhere):
            await client.close()
