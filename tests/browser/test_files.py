"""A picture on its way: from a shop's page under a strict policy to the console, and one back."""

from __future__ import annotations

import io

from PIL import Image
from playwright.sync_api import FilePayload, expect

from tests.browser.conftest import Stage


def picture(colour: tuple[int, int, int]) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (640, 420), colour).save(kept, "PNG")
    return kept.getvalue()


def upload(name: str, media_type: str, content: bytes) -> FilePayload:
    """A file as somebody chooses it."""
    return {"name": name, "mimeType": media_type, "buffer": content}


def test_files_go_from_the_shopper_to_the_agent_and_back(stage: Stage) -> None:
    shopper = stage.shopper().begin()
    shopper.panel.locator(".clip").wait_for()
    shopper.panel.locator("input[type=file]").set_input_files(
        [
            upload("lamp.png", "image/png", picture((20, 120, 90))),
            upload("evil.html", "text/html", b"<html><script>1</script>"),
        ]
    )
    tray = shopper.panel.locator(".tray li")
    expect(tray).to_have_count(2)
    expect(tray.first).to_contain_text("ready")
    expect(tray.last).to_contain_text("not taken")
    tray.last.get_by_role("button").click()
    shopper.writes("It came like this")
    shopper.sees("It came like this")
    expect(shopper.log.locator("canvas")).to_be_visible()

    agent = stage.agent().opens("It came like this")
    shown = agent.page.locator(".log .picture img")
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 480
    agent.page.locator(".log .picture").click()
    viewer = agent.page.locator("dialog.viewer")
    expect(viewer.locator("img")).to_be_visible()
    agent.page.keyboard.press("Escape")
    expect(viewer).to_have_count(0)

    agent.page.locator("#filepick").set_input_files(
        [upload("返厂说明.pdf", "text/plain", b"%PDF-1.7\n%%EOF\n")]
    )
    expect(agent.page.locator(".composer .blocks li")).to_contain_text("返厂说明.pdf")
    # Files alone are a message as well.
    agent.page.locator(".composer .btn.primary").click()
    link = shopper.log.locator("a.card.file", has_text="返厂说明.pdf")
    expect(link).to_be_visible()
    with shopper.page.expect_download() as begun:
        link.click()
    assert begun.value.suggested_filename == "返厂说明.pdf"
