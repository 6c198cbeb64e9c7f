"""Files of mails: kept as they may be, named where they may not, and sent along with replies."""

from __future__ import annotations

from collections.abc import AsyncIterator

from server.actions.files import Limits
from server.files.desk import Uploader
from server.storage import files, mails
from server.storage.tickets import messages_between
from tests.channels.mail.awkward import file, part, parts
from tests.channels.mail.correspondence import Correspondence
from tests.files.test_pictures import photo

PDF = b"%PDF-1.7\n%%EOF\n"


async def test_files_come_in_with_a_mail_and_go_out_with_the_answer(mail: Correspondence) -> None:
    scene = mail.scene
    (came,) = await mail.put(
        parts(
            part('<p>Broken, see <img src="cid:lamp@buyer"></p>', "text/html"),
            file(photo(b"KESTREL"), "image/jpeg", Content_ID="<lamp@buyer>"),
            file(PDF, "text/plain", Content_Disposition='attachment; filename="invoice.exe"'),
            file(
                b"MZ\x90" + b"\0" * 50,
                "image/png",
                Content_Disposition='attachment; filename="photo.png"',
            ),
        )
    )
    assert (came.state, came.reason) == ("taken", "ticket")
    (ticket,) = mail.tickets()
    (said,) = scene.database.read_now(lambda c: messages_between(c, ticket.id, 0, 2**53))
    sheet, *blocks = said.blocks or []
    assert (sheet["type"], sheet["remote"]) == ("mail", 0)
    shown = [(b["name"], b["media_type"], b["state"]) for b in blocks]
    assert shown == [
        ("file-1.jpeg", "image/jpeg", "unscanned"),
        ("invoice.exe.pdf", "application/pdf", "unscanned"),
        ("photo.png", "application/octet-stream", "refused"),
    ]
    kept = scene.database.read_now(lambda c: files.of_messages(c, [said.id]))
    (inside,) = (one for one in kept if one.content_id == "lamp@buyer")
    assert b"KESTREL" not in (mail.files.store.read(inside.sha256 or "") or b"KESTREL")

    chen = scene.person("chen")

    async def source() -> AsyncIterator[bytes]:
        yield PDF + b"% ours\n"

    sent = await mail.files.take(source(), name="退货单.pdf", sender=Uploader(chen))
    answer = await mail.reply(chen, ticket, "", files=[sent.id])
    (paper,) = answer.iter_attachments()
    assert (paper.get_filename(), paper.get_content_type()) == ("退货单.pdf", "application/pdf")
    assert paper.get_content() == PDF + b"% ours\n"


async def test_mails_bring_so_much_in_a_day_and_their_words_always(mail: Correspondence) -> None:
    mail.files.limits = Limits(shoppers_a_day=2 * len(PDF))
    attached = file(PDF, "application/pdf", Content_Disposition='attachment; filename="a.pdf"')
    for number in range(4):
        (came,) = await mail.put(
            parts(part(f"Mail {number}"), attached, Message_ID=f"<{number}@buyer.example>")
        )
        assert came.state == "taken"
    said = mail.scene.database.read_now(
        lambda c: [one for t in mail.tickets() for one in messages_between(c, t.id, 0, 2**53)]
    )
    shown = sorted((one.body, (one.blocks or [])[0]["state"]) for one in said)
    assert shown == [
        ("Mail 0", "unscanned"),
        ("Mail 1", "unscanned"),
        ("Mail 2", "refused"),
        ("Mail 3", "refused"),
    ]


async def test_a_mail_of_very_many_parts_says_how_many_were_left_out(mail: Correspondence) -> None:
    scene = mail.scene
    (came,) = await mail.put(parts(*[part(f"line {number}") for number in range(60)]))
    assert (came.state, came.reason) == ("taken", "ticket")
    (ticket,) = mail.tickets()
    said, note = scene.database.read_now(lambda c: messages_between(c, ticket.id, 0, 2**53))
    assert "line 49" in said.body
    assert said.body.endswith("[10 parts of the mail were left out.]")
    assert (said.visibility, note.visibility) == ("public", "private")
    assert "10 parts" in note.body
    kept = scene.database.read_now(lambda c: mails.load_came(c, came.id))
    assert kept is not None
    assert b"line 59" in (kept.raw or b"")
