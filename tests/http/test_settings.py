"""Settings: who may open what, and what each form does."""

from __future__ import annotations

import re
from typing import Any

from server.storage.people import Person, load_people, load_person, load_teams
from server.storage.shop import Shop, load_shop
from server.storage.ticket_types import load_types
from tests.http.desk import PASSWORD, ROLES, Desk

NEW = {
    "name": "陈浩",
    "email": "Chen@Shop.Example",
    "role": "agent",
    "capacity": "5",
    "password": "a first password",
}
# What each page answers to: nobody, agent, supervisor, admin.
RIGHTS = {
    "/console/files/nobody": (401, 404, 404, 404),
    "/files/nobody/nothing": (404, 404, 404, 404),
    "/": (303, 303, 303, 303),
    "/console": (303, 200, 200, 200),
    "/console/1": (303, 200, 200, 200),
    "/reports": (303, 200, 200, 200),
    "/reports/export.csv": (303, 200, 200, 200),
    "/reports/times": (303, 200, 200, 200),
    "/reports/people": (303, 403, 200, 200),
    "/reports/satisfaction": (303, 200, 200, 200),
    "/reports/outcomes": (303, 403, 200, 200),
    "/reports/queue": (303, 403, 200, 200),
    "/reports/breakdown": (303, 403, 200, 200),
    "/reports/platforms": (303, 403, 200, 200),
    "/reports/checks": (303, 403, 200, 200),
    "/reports/live": (303, 403, 200, 200),
    "/reports/products": (303, 403, 200, 200),
    "/reports/products/one": (303, 403, 400, 400),
    "/notices": (303, 200, 200, 200),
    "/notices/count": (303, 200, 200, 200),
    "/mails/nothing": (303, 404, 404, 404),
    "/mails/nothing/pictures/nothing": (404, 404, 404, 404),
    "/settings/care": (303, 403, 200, 200),
    "/tickets/open-loops": (303, 403, 200, 200),
    "/reports/staffing": (303, 403, 200, 200),
    "/reports/staffing/export.csv": (303, 403, 200, 200),
    "/reports/rows": (303, 200, 200, 200),
    "/reports/turns": (303, 200, 200, 200),
    "/reports/turns/1/1": (303, 404, 404, 404),
    "/reports/sessions/1/1": (303, 404, 404, 404),
    "/reports/segments": (303, 403, 200, 200),
    "/reports/segments/curve.csv": (303, 403, 200, 200),
    "/reports/segments/nobody.csv": (303, 403, 404, 404),
    "/reports/segments/segment/loyal": (303, 403, 200, 200),
    "/reports/segments/nobody/nobody": (303, 403, 404, 404),
    "/reports/segments/nobody/nobody.csv": (303, 403, 404, 404),
    "/reports/offers": (303, 403, 200, 200),
    "/reports/offers/export.csv": (303, 403, 200, 200),
    "/customers": (303, 200, 200, 200),
    "/customers/nobody": (303, 404, 404, 404),
    "/customers/review": (303, 403, 200, 200),
    "/customers/segments": (303, 200, 200, 200),
    "/customers/segments/nobody/delete": (303, 404, 404, 404),
    "/help": (200, 200, 200, 200),
    "/help/nobody": (404, 404, 404, 404),
    "/help/nobody/x": (404, 404, 404, 404),
    "/help/sitemap.xml": (200, 200, 200, 200),
    "/portal": (200, 200, 200, 200),
    "/portal/code": (303, 303, 303, 303),
    "/portal/nobody": (303, 303, 303, 303),
    "/portal/enter": (200, 200, 200, 200),
    "/portal/new": (303, 303, 303, 303),
    "/portal/return": (303, 303, 303, 303),
    "/portal/return/nobody": (303, 303, 303, 303),
    "/knowledge": (303, 200, 200, 200),
    "/knowledge/export": (303, 200, 200, 200),
    "/knowledge/import": (303, 403, 200, 200),
    "/knowledge/import/nobody": (303, 403, 404, 404),
    "/knowledge/new": (303, 403, 200, 200),
    "/knowledge/report": (303, 403, 200, 200),
    "/knowledge/nobody": (303, 404, 404, 404),
    "/knowledge/nobody/versions": (303, 403, 404, 404),
    "/tickets": (303, 200, 200, 200),
    "/tickets/new": (303, 200, 200, 200),
    "/tickets/nobody": (303, 404, 404, 404),
    "/settings/ticket-types": (303, 403, 200, 200),
    "/settings/ticket-types/refund": (303, 403, 200, 200),
    "/settings/ticket-types/nobody": (303, 403, 404, 404),
    "/settings": (303, 303, 303, 303),
    "/settings/people": (303, 403, 403, 200),
    "/settings/people/{agent}": (303, 403, 403, 200),
    "/settings/people/{agent}/deactivate": (303, 403, 403, 200),
    "/settings/people/nobody": (303, 403, 403, 404),
    "/settings/teams": (303, 403, 403, 200),
    "/settings/teams/{team}": (303, 403, 403, 200),
    "/settings/shop": (303, 403, 403, 200),
    "/settings/shop/identity": (303, 403, 403, 200),
    "/settings/tokens": (303, 403, 403, 200),
    "/settings/tokens/nothing/revoke": (303, 403, 403, 404),
    "/settings/webhooks": (303, 403, 403, 200),
    "/settings/webhooks/nobody": (303, 403, 403, 404),
    "/settings/webhooks/nobody/secret": (303, 403, 403, 404),
    "/settings/webhooks/nobody/delete": (303, 403, 403, 404),
    "/settings/webhooks/nobody/deliveries": (303, 403, 403, 404),
    "/settings/sources": (303, 403, 200, 200),
    "/settings/sources/nobody": (303, 403, 404, 404),
    "/settings/sources/nobody/secret": (303, 403, 403, 404),
    "/settings/sources/nobody/delete": (303, 403, 403, 404),
    "/settings/sources/nobody/deliveries": (303, 403, 404, 404),
    "/settings/sources/nobody/deliveries/nothing": (303, 403, 404, 404),
    "/settings/privacy": (303, 403, 200, 200),
    "/settings/mail": (303, 403, 200, 200),
    "/settings/mail/in/nothing": (303, 403, 404, 404),
    "/settings/privacy/people/nobody": (303, 403, 404, 404),
    "/settings/hours": (303, 403, 200, 200),
    "/reports/stored": (303, 403, 200, 200),
    "/reports/stored/nobody": (303, 403, 404, 404),
    "/reports/stored/nobody/rows.json": (303, 403, 404, 404),
    "/reports/mails": (303, 403, 200, 200),
    "/reports/mails/new": (303, 403, 200, 200),
    "/reports/mails/nobody": (303, 403, 404, 404),
    "/reports/mails/nobody/remove": (303, 403, 404, 404),
    "/settings/targets": (303, 403, 200, 200),
    "/settings/targets/1": (303, 403, 200, 200),
    "/settings/targets/1/remove": (303, 403, 200, 200),
    "/settings/targets/999": (303, 403, 404, 404),
    "/settings/targets/versions/0": (303, 403, 200, 200),
    "/settings/targets/versions/1": (303, 403, 404, 404),
    "/targets/nobody": (303, 404, 404, 404),
    "/settings/rules": (303, 403, 200, 200),
    "/settings/rules/new": (303, 403, 200, 200),
    "/settings/rules/nobody": (303, 403, 404, 404),
    "/settings/rules/nobody/log": (303, 403, 404, 404),
    "/settings/rules/nobody/remove": (303, 403, 404, 404),
    "/reports/reviews": (303, 303, 200, 200),
    "/reports/reviews/own": (303, 200, 200, 200),
    "/reports/reviews/draw": (303, 403, 200, 200),
    "/reports/reviews/scorecard": (303, 403, 200, 200),
    "/reports/reviews/samples/nobody": (303, 403, 404, 404),
    "/reports/reviews/items/nobody": (303, 403, 404, 404),
    "/reports/reviews/given/nobody": (303, 404, 404, 404),
    "/reports/corrections": (303, 403, 200, 200),
    "/reports/corrections/1": (303, 403, 404, 404),
    "/settings/playbook": (303, 403, 200, 200),
    "/settings/playbook/stable": (303, 403, 200, 200),
    "/settings/playbook/nobody": (303, 403, 404, 404),
    "/settings/profile": (303, 200, 200, 200),
}
# Forms: what the unprivileged get; the fields would be right.
FORMS: dict[str, dict[str, str]] = {
    "/settings/people": NEW,
    "/settings/people/{agent}": {"name": "X", "role": "admin", "capacity": "1"},
    "/settings/people/{admin}/password": {"password": "a new password"},
    "/settings/people/{supervisor}/deactivate": {},
    "/settings/people/{agent}/reactivate": {},
    "/settings/teams": {"name": "Sales"},
    "/settings/teams/{team}": {"name": "Sales"},
    "/settings/shop": {"shop": "X", "locale": "en", "timezone": "UTC", "currency": "EUR"},
    "/settings/shop/origins": {"origins": "https://evil.example"},
    "/settings/shop/identity": {},
    "/settings/shop/identity/end": {},
    "/settings/tokens": {"name": "X", "who": "role:admin", "days": "90", "scope": "admin"},
    "/settings/tokens/{admin}/revoke": {},
    "/settings/webhooks": {"url": "https://evil.example/", "name": "X"},
    "/settings/webhooks/nobody": {"url": "https://evil.example/", "name": "X"},
    "/settings/webhooks/nobody/switch": {"on": "1"},
    "/settings/webhooks/nobody/secret": {},
    "/settings/webhooks/nobody/secret/end": {},
    "/settings/webhooks/nobody/delete": {},
    "/settings/webhooks/nobody/test": {},
    "/settings/webhooks/nobody/deliveries/nothing/again": {},
}

MISTAKES = [
    ("email", "agent@shop.example", 409),
    ("email", "AGENT@shop.example", 409),
    ("email", "no address", 400),
    ("email", "a@localhost", 400),
    ("name", "", 400),
    ("name", "x" * 101, 400),
    ("password", "short", 400),
    ("password", "chen@shop.example", 400),
    ("capacity", "0", 400),
    ("capacity", "51", 400),
    ("capacity", "many", 400),
]


def _person(desk: Desk, name: str) -> Person:
    found = desk.database.read_now(lambda c: load_person(c, desk.people[name]))
    assert found is not None
    return found


def _shop(desk: Desk) -> Shop:
    found = desk.database.read_now(load_shop)
    assert found is not None
    return found


async def test_each_page_opens_for_those_who_may_and_nobody_else(desk: Desk) -> None:
    visitors = [desk.visitor()] + [await desk.signed_in(role) for role in ROLES]
    for path, statuses in RIGHTS.items():
        for visitor, status in zip(visitors, statuses, strict=True):
            answer = await visitor.get(path.format(**desk.people))
            assert answer.status == status, path
    # The API knows no sign-in: tests/api.
    # Nor do the shoppers' files: tests/http/test_attachments.py.
    public: tuple[str, ...] = ("/static", "/widget", "/healthz", "/readyz", "/metrics")
    public += ("/sign-in", "/setup", "/api", "/visitor")
    known = {
        re.sub(r"\{\w+\}|/nobody|/nothing|/1(?=/|$)", "/x", path).replace("//", "/")
        for path in RIGHTS
    }
    for _, path in desk.paths("GET", "x"):
        assert path.startswith(public) or path in known, f"{path} has no row in RIGHTS"


async def test_who_leads_finds_the_settings_in_the_navigation(desk: Desk) -> None:
    first = {"agent": None, "supervisor": "/settings/hours", "admin": "/settings/people"}
    for role, page in first.items():
        visitor = await desk.signed_in(role)
        assert ('<a href="/settings"' in (await visitor.get("/tickets")).text) == (page is not None)
        assert (await visitor.get("/settings")).location == (page or "/settings/profile")


async def test_each_form_works_for_admins_only(desk: Desk) -> None:
    for role in ("agent", "supervisor"):
        visitor = await desk.signed_in(role)
        for path, fields in FORMS.items():
            answer = await visitor.post(
                path.format(**desk.people), fields, page="/settings/profile"
            )
            assert answer.status == 403, (role, path)
    stranger = desk.visitor()
    for path, fields in FORMS.items():
        answer = await stranger.post(path.format(**desk.people), fields, page="/sign-in")
        assert answer.status == 401, path
    assert len(desk.database.read_now(load_people)) == 3
    assert _shop(desk).origins == ()
    assert _person(desk, "agent").role == "agent"


async def test_a_new_person_can_sign_in(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    fields = [*NEW.items(), ("language", "zh"), ("language", "en"), ("team", desk.people["team"])]
    answer = await admin.post("/settings/people", fields)
    assert answer.status == 303
    assert "Added." in (await admin.get(answer.location)).text
    visitor = desk.visitor()
    assert (await visitor.sign_in("chen@shop.example", NEW["password"])).status == 303
    [person] = [p for p in desk.database.read_now(load_people) if p.name == "陈浩"]
    assert person.languages == ("en", "zh")
    assert (person.capacity, person.team_ids) == (5, frozenset({desk.people["team"]}))


async def test_a_mistake_is_told_beside_its_field(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    for field, wrong, status in MISTAKES:
        answer = await admin.post("/settings/people", NEW | {field: wrong})
        assert answer.status == status, (field, wrong)
        assert f'id="e-{field}"' in answer.text
        assert 'value="陈浩"' in answer.text or field == "name", "what was typed is kept"
        assert NEW["password"] not in answer.text
    assert len(desk.database.read_now(load_people)) == 3


async def test_made_up_roles_teams_and_languages_are_refused(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    for name, value, status in (
        ("role", "owner", 400),
        ("language", "fr", 400),
        ("team", "x", 404),
    ):
        fields = [pair for pair in NEW.items() if pair[0] != name]
        answer = await admin.post("/settings/people", [*fields, (name, value)])
        assert answer.status == status, name


async def test_another_role_signs_the_person_out(desk: Desk) -> None:
    admin, agent = await desk.signed_in("admin"), await desk.signed_in("agent")
    path = f"/settings/people/{desk.people['agent']}"
    fields: dict[str, Any] = {"name": "Agent Young", "role": "supervisor", "capacity": "8"}
    assert (await admin.post(path, fields)).status == 303
    assert (await agent.get("/settings/profile")).status == 303
    assert _person(desk, "agent").role == "supervisor"
    assert _person(desk, "agent").team_ids == frozenset()


async def test_a_shop_never_loses_its_last_admin(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    path = f"/settings/people/{desk.people['admin']}"
    demoted = await admin.post(path, {"name": "A", "role": "agent", "capacity": "8"})
    assert demoted.status == 409
    assert "A shop needs an admin" in demoted.text
    gone = await admin.post(f"{path}/deactivate")
    assert gone.status == 403
    assert "cannot deactivate yourself" in gone.text
    assert _person(desk, "admin").role == "admin"


async def test_deactivating_asks_first_and_then_ends_access_at_once(desk: Desk) -> None:
    admin, agent = await desk.signed_in("admin"), await desk.signed_in("agent")
    path = f"/settings/people/{desk.people['agent']}/deactivate"
    asked = await admin.get(path)
    assert "Deactivate Agent Young?" in asked.text
    assert (await agent.get("/settings/profile")).status == 200
    assert (await admin.post(path)).status == 303
    assert (await agent.get("/settings/profile")).status == 303
    assert (await desk.visitor().sign_in("agent@shop.example")).status == 401
    again = await admin.post(
        path.replace("deactivate", "reactivate"), page=path.removesuffix("/deactivate")
    )
    assert again.status == 303
    assert (await desk.visitor().sign_in("agent@shop.example")).status == 303


async def test_a_reset_password_works_and_ends_the_old_sign_ins(desk: Desk) -> None:
    admin, agent = await desk.signed_in("admin"), await desk.signed_in("agent")
    path = f"/settings/people/{desk.people['agent']}"
    answer = await admin.post(f"{path}/password", {"password": "another password"}, page=path)
    assert answer.status == 303
    assert (await agent.get("/settings/profile")).status == 303
    assert (await desk.visitor().sign_in("agent@shop.example")).status == 401
    assert (await desk.visitor().sign_in("agent@shop.example", "another password")).status == 303


async def test_a_team_is_made_renamed_and_filled(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    made = await admin.post("/settings/teams", {"name": "Returns", "name_zh": ""})
    assert made.status == 303
    team_id = made.location.split("/")[-1].split("?")[0]
    saved = await admin.post(
        f"/settings/teams/{team_id}",
        [("name", "Refunds"), ("name_zh", "退款组"), ("member", desk.people["agent"])],
    )
    assert saved.status == 303
    teams = {team.id: team for team in desk.database.read_now(load_teams)}
    assert (teams[team_id].name, teams[team_id].name_zh) == ("Refunds", "退款组")
    assert team_id in _person(desk, "agent").team_ids
    assert (await admin.post("/settings/teams", {"name": "refunds"})).status == 409
    page = await admin.get(f"/settings/teams/{team_id}?lang=zh")
    assert "退款组" in page.text


async def test_the_shop_is_changed_and_mistakes_are_told(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    fields = {"shop": " Mori  & Oak ", "locale": "zh", "timezone": "Europe/Berlin"}
    assert (await admin.post("/settings/shop", fields | {"currency": "eur"})).status == 303
    shop = _shop(desk)
    assert (shop.name, shop.locale, shop.timezone) == ("Mori & Oak", "zh", "Europe/Berlin")
    assert shop.currency == "EUR"
    wrong = await admin.post("/settings/shop", fields | {"currency": "euro"})
    assert wrong.status == 400
    assert 'id="e-currency"' in wrong.text


async def test_origins_are_kept_in_the_form_browsers_send(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    text = "HTTPS://Shop.Example:443/\r\n\r\nhttp://localhost:8080\nhttps://商店.example\n"
    answer = await admin.post("/settings/shop/origins", {"origins": text}, page="/settings/shop")
    assert answer.status == 303
    assert _shop(desk).origins[:2] == ("https://shop.example", "http://localhost:8080")
    assert _shop(desk).origins[2].startswith("https://xn--")
    for wrong in ("shop.example", "https://shop.example/path", "*", "javascript://x"):
        refused = await admin.post(
            "/settings/shop/origins", {"origins": wrong}, page="/settings/shop"
        )
        assert refused.status == 400, wrong
        assert 'id="e-origins"' in refused.text
        assert wrong in refused.text
    assert len(_shop(desk).origins) == 3
    await admin.post("/settings/shop/origins", {"origins": " "}, page="/settings/shop")
    assert _shop(desk).origins == ()


async def test_the_former_identity_secret_holds_until_it_is_ended(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    await admin.post("/settings/shop/identity")
    former = _shop(desk).identity_secret
    assert "End the former secret" not in (await admin.get("/settings/shop")).text
    await admin.post("/settings/shop/identity")
    assert _shop(desk).old_identity_secret == former
    page = (await admin.get("/settings/shop")).text
    assert "End the former secret" in page
    # It is asked first: the button stands behind what is lost by it.
    assert "<details>" in page.split('/identity/end"')[1].split("<button")[0]
    assert "is not believed from then on" in page
    ended = await admin.post("/settings/shop/identity/end", page="/settings/shop")
    assert ended.status == 303
    assert _shop(desk).old_identity_secret is None


async def test_a_shipped_type_is_given_back_as_it_came_once_it_was_said_what_is_lost(
    desk: Desk,
) -> None:
    path = "/settings/ticket-types/refund"
    leader = await desk.signed_in("supervisor")
    came = desk.database.read_now(load_types)["refund"]
    own = {"name_en": "Money back", "name_zh": "退钱", "do": "save"}
    assert (await leader.post(path, own)).status == 303
    assert desk.database.read_now(load_types)["refund"].words == ("Money back", "退钱")
    page = (await leader.get(path)).text
    before = page.split('value="restore"')[0].rsplit("<details>", 1)[1]
    assert "are lost; it is again as it came" in before
    assert (await leader.post(path, {"do": "restore"})).status == 303
    assert desk.database.read_now(load_types)["refund"] == came


async def test_an_identity_secret_is_shown_once(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    assert "Make an identity secret?" in (await admin.get("/settings/shop/identity")).text
    shown = await admin.post("/settings/shop/identity")
    secret = _shop(desk).identity_secret
    assert secret is not None
    assert len(secret) >= 43
    assert secret in shown.text
    assert secret not in (await admin.get("/settings/shop")).text
    assert "Replace the identity secret?" in (await admin.get("/settings/shop/identity")).text
    await admin.post("/settings/shop/identity")
    assert _shop(desk).identity_secret != secret


async def test_the_embed_snippet_is_ready_to_paste(desk: Desk) -> None:
    admin = await desk.signed_in("admin")
    text = (await admin.get("/settings/shop")).text
    assert f"{desk.url}/widget/loader.js" in text
    assert _shop(desk).site_key in text


async def test_everybody_changes_their_own_profile_and_nothing_else(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    fields = {"name": "李娜", "locale": "zh", "role": "admin", "capacity": "50", "active": "1"}
    answer = await agent.post("/settings/profile", fields)
    assert answer.status == 303
    person = _person(desk, "agent")
    assert (person.name, person.locale, person.role, person.capacity) == ("李娜", "zh", "agent", 8)
    page = await agent.get("/settings/profile", headers={"Accept-Language": "en"})
    assert '<html lang="zh-CN"' in page.text


async def test_the_own_password_needs_the_present_one(desk: Desk) -> None:
    here, elsewhere = await desk.signed_in("agent"), await desk.signed_in("agent")
    path = "/settings/profile/password"
    wrong = await here.post(
        path, {"current": "not this", "password": "another password"}, page="/settings/profile"
    )
    assert wrong.status == 403
    assert 'id="e-current"' in wrong.text
    right = await here.post(
        path, {"current": PASSWORD, "password": "another password"}, page="/settings/profile"
    )
    assert right.status == 303
    assert (await here.get("/settings/profile")).status == 200, "this browser stays signed in"
    assert (await elsewhere.get("/settings/profile")).status == 303
    assert (await desk.visitor().sign_in("agent@shop.example", "another password")).status == 303


async def test_guessing_the_present_password_is_slowed_down(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    for status in (403, 403, 403, 403, 403, 429):
        answer = await agent.post(
            "/settings/profile/password",
            {"current": "a guess", "password": "another password"},
            page="/settings/profile",
        )
        assert answer.status == status


async def test_language_and_theme_are_chosen_by_address_and_kept(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    assert '<html lang="zh-CN"' in (await agent.get("/settings/profile?lang=zh&theme=dark")).text
    page = (await agent.get("/settings/profile")).text
    assert '<html lang="zh-CN" data-theme="dark">' in page
    assert _person(desk, "agent").locale == "zh"
    for wrong in ("fr", "", "%22%3E%3Cscript%3E", "zh%0d%0ax"):
        answer = await agent.get(f"/settings/profile?theme={wrong}&lang={wrong}")
        assert '<html lang="zh-CN" data-theme="dark">' in answer.text
