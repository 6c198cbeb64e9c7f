"""The first run: one page, one code, once."""

from __future__ import annotations

from server.http.routes import SETUP_CODE
from server.storage.people import load_people
from server.storage.shop import load_shop
from tests.http.desk import PASSWORD, Desk

FILLED = {
    "shop": "木与森",
    "locale": "zh",
    "timezone": "Asia/Shanghai",
    "currency": "cny",
    "name": "王敏",
    "email": "Min@Shop.Example",
    "password": PASSWORD,
}


async def test_everything_leads_to_the_setup_page_at_first(empty_desk: Desk) -> None:
    visitor = empty_desk.visitor()
    assert (await visitor.get("/")).location == "/console"
    assert (await visitor.get("/console")).location.startswith("/sign-in")
    assert (await visitor.get("/sign-in")).location == "/setup"
    assert (await visitor.get("/setup")).status == 200


async def test_the_code_opens_the_shop_and_signs_the_first_admin_in(empty_desk: Desk) -> None:
    visitor = empty_desk.visitor()
    code = empty_desk.app[SETUP_CODE].upper()
    answer = await visitor.post("/setup", FILLED | {"code": f" {code} "})
    assert (answer.status, answer.location) == (303, "/console")
    assert (await visitor.get("/settings/people")).status == 200
    shop = empty_desk.database.read_now(load_shop)
    assert shop is not None
    assert (shop.name, shop.locale, shop.currency) == ("木与森", "zh", "CNY")
    [person] = empty_desk.database.read_now(load_people)
    assert (person.name, person.email, person.role) == ("王敏", "min@shop.example", "admin")


async def test_it_works_once(empty_desk: Desk) -> None:
    code = empty_desk.app[SETUP_CODE]
    late = empty_desk.visitor()
    token = await late.csrf("/setup")
    await empty_desk.visitor().post("/setup", FILLED | {"code": code})
    answer = await late.ask("POST", "/setup", data=FILLED | {"code": code, "csrf": token})
    assert (answer.status, answer.location) == (303, "/sign-in")
    assert (await late.get("/setup")).location == "/sign-in"
    assert len(empty_desk.database.read_now(load_people)) == 1


async def test_a_shop_made_on_the_command_line_is_kept(empty_desk: Desk) -> None:
    from server.actions.shop import init_shop

    await empty_desk.write(
        init_shop, name="Mori & Oak", locale="en", timezone="Europe/London", currency="GBP"
    )
    visitor = empty_desk.visitor()
    page = (await visitor.get("/setup")).text
    assert "Mori &amp; Oak" in page
    assert 'name="currency"' not in page
    fields = {name: FILLED[name] for name in ("name", "email", "password")}
    answer = await visitor.post("/setup", fields | {"code": empty_desk.app[SETUP_CODE]})
    assert answer.status == 303
    shop = empty_desk.database.read_now(load_shop)
    assert shop is not None
    assert shop.currency == "GBP"


async def test_guessing_the_code_is_slowed_down(empty_desk: Desk) -> None:
    visitor = empty_desk.visitor()
    for _ in range(5):
        answer = await visitor.post("/setup", FILLED | {"code": "abcd-efgh-jkmn"})
        assert answer.status == 403
        assert "This is not the code" in answer.text or "设置码不正确" in answer.text
    right = FILLED | {"code": empty_desk.app[SETUP_CODE]}
    assert (await visitor.post("/setup", right)).status == 429
    empty_desk.time.now += 2
    assert (await visitor.post("/setup", right)).status == 303


async def test_a_mistake_is_told_beside_its_field_and_nothing_is_made(empty_desk: Desk) -> None:
    visitor = empty_desk.visitor()
    code = empty_desk.app[SETUP_CODE]
    for field, wrong in (
        ("email", "nonsense"),
        ("password", "short"),
        ("password", "aaaaaaaaaaaa"),
        ("currency", "yuan"),
        ("timezone", "Mars/Olympus"),
        ("shop", " "),
        ("name", ""),
    ):
        answer = await visitor.post("/setup", FILLED | {"code": code, field: wrong})
        assert answer.status == 400, field
        assert f'id="e-{field}"' in answer.text, field
        assert PASSWORD not in answer.text
        assert code not in answer.text
    assert empty_desk.database.read_now(load_people) == []
    assert empty_desk.database.read_now(load_shop) is None


async def test_the_page_speaks_the_language_of_the_browser(empty_desk: Desk) -> None:
    for said, lang in (
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-US,en;q=0.9", "en"),
        ("fr-FR,zh-TW;q=0.7", "zh-CN"),
        ("fr", "en"),
    ):
        page = await empty_desk.visitor().get("/setup", headers={"Accept-Language": said})
        assert f'<html lang="{lang}"' in page.text, said
