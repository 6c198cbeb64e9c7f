"""The figures of a serving process tell what its sockets do, and nothing of who they are."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.pages import section, text
from tests.realtime.client import People

SECRET = "Greta Garbo 13812345678 greta@example.com"


async def _page(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_serving_process_counts_its_work(people: People) -> None:
    url = people.desk.url
    before = _numbers(await _page(url))
    shopper, agent = await people.shopper(), await people.agent()
    await shopper.do("customer.describe", name="Greta Garbo", email="greta@example.com")
    for _ in range(5):
        await shopper.post(SECRET)
    await agent.hears(SECRET)
    await shopper.refused("message.post", client_id="x", body="")
    page = await _page(url)
    now = _numbers(page)
    for word in (*SECRET.split(), shopper.welcome["customer_id"], people.desk.site):
        assert word not in page
    post = ("shopbell_command_seconds_count", "message.post", "/visitor")
    assert now[post] - before.get(post, 0) == 5
    refused = ("shopbell_commands_refused_total", "invalid_input", "/visitor")
    assert now[refused] - before.get(refused, 0) == 1
    assert now["shopbell_sockets", "/visitor"] >= 1
    assert now["shopbell_sockets", "/agent"] >= 1
    assert now["shopbell_loop_lag_seconds_count",] >= 0
    assert now["shopbell_draining",] == 0
    described = section(text("docs/operations.md"), "### Figures")
    names = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE shopbell_")}
    assert {name for name in names if f"`{name}`" not in described} == set()


def _numbers(page: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }
