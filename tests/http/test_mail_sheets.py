"""A mail as it was sent, for who may read its message and for nobody else."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from server.actions import privacy, ticket_merge
from server.actions import tickets as actions
from server.actions.export_customer import export_customer
from server.actions.privacy import OfPerson
from server.actions.take_mail import Desk as MailDesk
from server.actions.take_mail import take_mail
from server.actions.ticket_parts import AddTask, add_task
from server.channels.mail.read import read_letter
from server.domain.actors import SYSTEM
from server.files.desk import Uploader
from server.http import keys
from server.storage import mails, tickets
from server.storage.people import insert_team, load_people
from tests.channels.mail.awkward import PNG, file, part, parts
from tests.channels.receiver import Receiver
from tests.files.test_pictures import photo
from tests.http.desk import Desk

HTML = (
    '<p onclick="x()">The <b style="color:#b00">shade</b> is torn, see'
    ' <a href="https://evil.example/x">mori.example</a></p><script>x()</script>'
    '<img src="cid:lamp@buyer"><img src="https://track.example/1.gif" alt="one">'
)
# What is asked here does not depend on the kind of database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def came(desk: Desk, html: str = HTML) -> tuple[str, str]:
    """A mail with a picture inside became a ticket: its id, and the ticket's number."""
    raw = parts(
        part("The shade is torn"),
        part(html, "text/html"),
        file(PNG, "image/png", Content_ID="<lamp@buyer>"),
    )
    letter, database = read_letter(raw), desk.database
    await database.write(lambda tx: mails.add_came(tx, uid_validity=1, mails=[(1, len(raw), raw)]))
    (mail,) = await database.read(lambda c: mails.unread(c, limit=9))

    async def content() -> AsyncIterator[bytes]:
        yield letter.files[0].content

    sender = Uploader(SYSTEM, mail_id=mail.id)
    picture = await desk.app[keys.FILES].take(
        content(), name="lamp.png", sender=sender, content_id=letter.files[0].content_id
    )
    told = MailDesk("help@mori.example", "loop", b"secret")
    await database.write(lambda tx: take_mail(tx, told, mail.id, letter, (picture.id,)))
    (kept,) = await database.read(lambda c: mails.came(c, state="taken", before=None, limit=9))
    ticket = await database.read(lambda c: tickets.load_ticket(c, str(kept.conversation_id)))
    assert ticket is not None
    return mail.id, ticket.number


async def test_a_mail_is_shown_in_a_frame_that_can_do_nothing(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    mail_id, number = await came(desk)
    page = (await agent.get(f"/tickets/{number}?lang=en")).text
    frame = re.search(r"<iframe[^>]*>", page)
    assert frame is not None
    assert f'src="/mails/{mail_id}"' in frame[0]
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame[0]
    assert "1 picture is elsewhere" in page
    assert '<p class="words">The shade is torn</p>' in page

    answer = await agent.get(f"/mails/{mail_id}")
    policy = dict(
        [*part.strip().split(" ", 1), ""][:2]
        for part in answer.headers["Content-Security-Policy"].split(";")
    )
    nonce = policy.pop("style-src")
    assert policy == {
        "default-src": "'none'",
        "img-src": "'self'",
        "style-src-attr": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "allow-popups allow-popups-to-escape-sandbox",
    }
    assert nonce.strip("'").replace("nonce-", 'nonce="') in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in answer.text
    assert "track.example" not in answer.text
    assert 'data-to="evil.example"' in answer.text
    everything = await agent.get(f"/mails/{mail_id}?pictures=all")
    assert "track.example" not in everything.text
    assert f'src="/mails/{mail_id}/pictures/' in everything.text
    assert "img-src 'self';" in everything.headers["Content-Security-Policy"]

    # The frame has no cookie: the address of the picture says who looks, and for how long.
    found = re.search(r'src="(/files/[^"]+)"', answer.text)
    assert found is not None
    address = found[1].replace("&amp;", "&")
    picture = await desk.visitor().get(address)
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/png")
    assert picture.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    forged = address.replace("staff%3A", "")
    assert (await desk.visitor().get(forged)).status == 404
    assert (await desk.visitor().get(address.partition("&k=")[0])).status == 404
    desk.time.now += 700
    assert (await desk.visitor().get(address)).status == 404


async def test_pictures_elsewhere_come_through_the_server_for_who_may_look(desk: Desk) -> None:
    agent = await desk.signed_in("agent")
    async with Receiver() as elsewhere:
        elsewhere.answering = lambda _: web.Response(body=photo(b"KESTREL"))
        mail_id, number = await came(desk, f'<img src="{elsewhere.url("/a.jpg?for=ana")}">')
        page = (await agent.get(f"/mails/{mail_id}")).text
        assert "/pictures/" not in page
        assert elsewhere.letters == []
        page = (await agent.get(f"/mails/{mail_id}?pictures=all")).text
        found = re.search(r'src="(/mails/[^"]+)"', page)
        assert found is not None
        address = found[1].replace("&amp;", "&")
        assert (
            address.replace("&", "&amp;")
            in (await agent.get(f"/mails/{mail_id}?pictures=all")).text
        ), "so that a browser that has it does not ask again"
        # A frame without an origin sends no cookie: what is asked for says who looks.
        frame = desk.visitor()
        picture = await frame.get(address)
        assert (picture.status, picture.headers["Content-Type"]) == (200, "image/jpeg")
        assert b"KESTREL" not in picture.body
        policy = "default-src 'none'; frame-ancestors 'none'; sandbox"
        assert picture.headers["Content-Security-Policy"] == policy
        assert picture.headers["X-Content-Type-Options"] == "nosniff"
        assert picture.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert [letter.request.path_qs for letter in elsewhere.letters] == ["/a.jpg?for=ana"]
        assert "Cookie" not in elsewhere.letters[0].headers

        bare, _, query = address.partition("?")
        other = bare[:-1] + ("0" if bare[-1] != "0" else "1")
        for forged in (bare, f"{other}?{query}", address.replace("staff%3A", "")):
            assert (await frame.get(forged)).status == 404
            assert (await agent.get(forged)).status == 404
        assert (await frame.ask("HEAD", address)).status == 405
        elsewhere.answering = lambda _: web.Response(body=b"<svg/>", content_type="image/svg+xml")
        assert (await frame.get(address)).status == 404
        asked = len(elsewhere.letters)

        # It holds no longer than its viewer may read the mail, and not for ever.
        ticket_id = await desk.database.read(lambda c: tickets.id_of_number(c, number))
        assert ticket_id is not None
        people = await desk.database.read(load_people)
        boss = next(one for one in people if one.role == "supervisor").actor
        await desk.database.write(lambda tx: insert_team(tx, "other", name="Other", name_zh=None))
        given = actions.ChangeTicket(ticket_id=ticket_id, team_id="other", assignee_id=boss.id)
        await desk.database.write(lambda tx: actions.change(tx, boss, given))
        assert (await frame.get(address)).status == 404
        desk.time.now += 1300
        assert (await frame.get(address)).status == 404
        assert len(elsewhere.letters) == asked


async def test_nobody_else_sees_it_and_it_goes_with_its_writer(desk: Desk) -> None:
    agent, lead = await desk.signed_in("agent"), await desk.signed_in("supervisor")
    mail_id, number = await came(desk)
    address = f"/mails/{mail_id}"
    # Of what was taken, too, the mail can be had as it came.
    raw = f"/settings/mail/in/{mail_id}"
    listed = (await lead.get("/settings/mail?state=taken")).text
    assert f'href="{raw}"' in listed
    # Without it the facts above the list stand beneath one another as bare lines.
    assert "/css/hours.css" in listed
    assert b"<script>x()</script>" in (await lead.get(raw)).body
    assert (await desk.visitor().get(address)).status == 303
    assert (await agent.get("/mails/nothing")).status == 404
    people = await desk.database.read(load_people)
    boss = next(one for one in people if one.role == "supervisor").actor
    ticket_id = await desk.database.read(lambda c: tickets.id_of_number(c, number))
    assert ticket_id is not None
    await desk.database.write(lambda tx: insert_team(tx, "other", name="Other", name_zh=None))
    given = actions.ChangeTicket(ticket_id=ticket_id, team_id="other", assignee_id=boss.id)
    await desk.database.write(lambda tx: actions.change(tx, boss, given))
    shown = (await lead.get(address)).text
    picture = re.search(r'src="(/files/[^"]+)"', shown)
    assert picture is not None
    assert (await agent.get(address)).status == 404
    # Joined to a ticket of theirs, its words stand there, and so does what came with them.
    first = await desk.database.read(lambda c: tickets.load_ticket(c, ticket_id))
    assert first is not None
    more = actions.CreateTicket(type="question", subject="?", customer_id=first.customer_id)
    other = (await desk.database.write(lambda tx: actions.create(tx, boss, more)))["ticket_id"]
    join = ticket_merge.MergeTicket(ticket_id=ticket_id, into=other)
    await desk.database.write(lambda tx: ticket_merge.merge(tx, boss, join))
    assert (await agent.get(address)).status == 200
    part = ticket_merge.UnmergeTicket(ticket_id=ticket_id)
    await desk.database.write(lambda tx: ticket_merge.unmerge(tx, boss, part))
    assert (await agent.get(address)).status == 404
    # Split off to a ticket of theirs, it stands there and nowhere else.
    (said,) = await desk.database.read(
        lambda c: tickets.messages_between(c, str(ticket_id), 0, 2**53)
    )
    picture_id = next(b["id"] for b in said.blocks or () if b["type"] == "file")
    cut = ticket_merge.SplitTicket(ticket_id=ticket_id, message_id=said.id, subject="Shade")
    new = (await desk.database.write(lambda tx: ticket_merge.split(tx, boss, cut)))["ticket_id"]
    assert (await agent.get(address)).status == 404
    assert (await agent.get(f"/files/{picture_id}/content")).status == 404
    theirs = actions.ChangeTicket(ticket_id=new, assignee_id=desk.people["agent"])
    await desk.database.write(lambda tx: actions.change(tx, boss, theirs))
    answer = await agent.get(address)
    assert answer.status == 200
    shade = re.search(r'src="(/files/[^"]+)"', answer.text)
    assert shade is not None
    assert (await desk.visitor().get(shade[1].replace("&amp;", "&"))).status == 200
    assert (await agent.get(f"/files/{picture_id}/content")).status == 200
    away = actions.ChangeTicket(ticket_id=new, assignee_id=boss.id)
    await desk.database.write(lambda tx: actions.change(tx, boss, away))
    assert (await agent.get(address)).status == 404
    # Who is asked for a piece of the work is shown what it is about, and so what came with it.
    asked = AddTask(ticket_id=ticket_id, title="Look", assignee_id=desk.people["agent"])
    await desk.database.write(lambda tx: add_task(tx, boss, asked))
    answer = await agent.get(address)
    assert answer.status == 200
    shade = re.search(r'src="(/files/[^"]+)"', answer.text)
    assert shade is not None
    assert (await desk.visitor().get(shade[1].replace("&amp;", "&"))).status == 200

    ticket = await desk.database.read(lambda c: tickets.load_ticket(c, ticket_id))
    assert ticket is not None
    writer = ticket.customer_id
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        await desk.database.read(lambda c: export_customer(c, writer, at_ms=0, archive=archive))
    told = zipfile.ZipFile(packed).read("mails/0001.html").decode()
    assert "shade</b> is torn" in told
    assert "track.example" not in told
    erase = OfPerson(customer_id=writer)
    await desk.database.write(lambda tx: privacy.erase_customer(tx, SYSTEM, erase))
    assert (await lead.get(address)).status == 404
    assert (await desk.visitor().get(picture[1].replace("&amp;", "&"))).status == 404
    assert await desk.database.read(lambda c: mails.load_sheet(c, mail_id)) is None
