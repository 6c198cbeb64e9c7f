"""Pictures are drawn anew: their pixels, and nothing else that was in the file."""

from __future__ import annotations

import asyncio
import io
import json
import resource
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from server.domain.errors import InvalidInput
from server.files import picture_child
from server.files.pictures import Size, draw_anew


def draw(folder: Path, content: bytes, media_type: str) -> tuple[Size, Path, Path]:
    source, target, thumb = folder / "source", folder / "target", folder / "thumb"
    source.write_bytes(content)
    size = asyncio.run(draw_anew(source, media_type, target, thumb))
    return size, target, thumb


def png(width: int, height: int, rows: bytes) -> bytes:
    """A PNG whose head says what it likes."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    begin = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return begin + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def photo(secret: bytes) -> bytes:
    kept = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = secret.decode()
    exif[0x0112] = 6  # turned by a quarter
    exif.get_ifd(0x8825)[1] = "N"
    image = Image.new("RGB", (90, 60), (250, 10, 10))
    image.save(kept, "JPEG", exif=exif, comment=secret, icc_profile=b"")
    return kept.getvalue()


def test_no_place_no_words_and_no_second_file_is_left(tmp_path: Path) -> None:
    secret = b"KESTREL-51.5N"
    content = photo(secret) + b"<script>" + secret + b"</script>" + b"PK\x03\x04" + secret
    size, target, thumb = draw(tmp_path, content, "image/jpeg")
    assert size == Size(60, 90)  # as it is to be looked at
    assert secret in content
    for made in (target.read_bytes(), thumb.read_bytes()):
        assert secret not in made
        assert b"<script>" not in made
        assert b"Exif" not in made
    with Image.open(thumb) as small:
        assert (small.format, small.size) == ("WEBP", (60, 90))


def test_what_moves_goes_on_moving(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), (n * 20, 0, 0)) for n in range(5)]
    kept = io.BytesIO()
    frames[0].save(
        kept, "GIF", save_all=True, append_images=frames[1:], duration=80, comment=b"KESTREL"
    )
    size, target, _ = draw(tmp_path, kept.getvalue(), "image/gif")
    with Image.open(target) as made:
        assert (size, getattr(made, "n_frames", 1)) == (Size(40, 30), 5)
    assert b"KESTREL" not in target.read_bytes()


def bombs() -> dict[str, tuple[bytes, str, str]]:
    many = io.BytesIO()
    frames = [Image.new("1", (2, 2), n % 2) for n in range(101)]
    frames[0].save(many, "GIF", save_all=True, append_images=frames[1:])
    return {
        "a head that says 65,000 by 65,000": (png(65_000, 65_000, b""), "image/png", "too_large"),
        "100 MB of nothing in 100 kB": (
            png(9_000, 9_000, bytes(27_009_000)),
            "image/png",
            "too_large",
        ),
        "no side": (png(0, 10, b""), "image/png", "broken"),
        "cut off": (photo(b"x")[:200], "image/jpeg", "broken"),
        "rubbish": (b"GIF89a" + b"\xff" * 400, "image/gif", "broken"),
        "another kind than said": (photo(b"x"), "image/png", "broken"),
        "101 frames": (many.getvalue(), "image/gif", "too_long"),
    }


@pytest.mark.parametrize("name", bombs())
def test_what_is_no_good_picture_is_refused(name: str, tmp_path: Path) -> None:
    content, media_type, why = bombs()[name]
    with pytest.raises(InvalidInput) as refused:
        draw(tmp_path, content, media_type)
    assert refused.value.details == {"field": "file", "reason": "file_picture", "why": why}


def test_the_process_has_limits_and_none_of_the_server_s_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    spy = tmp_path / "spy.py"
    spy.write_text(
        "import json, os, resource, runpy, sys\n"
        f"child = runpy.run_path({picture_child.__file__!r}, run_name='child')\n"
        "child['confine']()\n"
        "names = ('CPU', 'AS', 'FSIZE', 'NOFILE', 'CORE')\n"
        "limits = {one: resource.getrlimit(getattr(resource, 'RLIMIT_' + one)) for one in names}\n"
        f"open({str(told)!r}, 'w').write(json.dumps([dict(os.environ), limits]))\n"
        "sys.exit(child['main']())\n",
        "utf-8",
    )
    monkeypatch.setenv("SHOPBELL_DATABASE_URL", "postgresql://shop:hunter2@db/shop")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter3")
    monkeypatch.setattr(picture_child, "__file__", str(spy))
    assert draw(tmp_path, photo(b"x"), "image/jpeg")[0] == Size(60, 90)
    environment, limits = json.loads(told.read_text("utf-8"))
    assert "PATH" in environment
    assert "hunter" not in json.dumps(environment)
    assert {name: most for name, (_, most) in limits.items()} == {
        "CPU": picture_child.CPU_S,
        "AS": picture_child.MEMORY_BYTES,
        "FSIZE": picture_child.FILE_BYTES,
        "NOFILE": picture_child.OPEN_FILES,
        "CORE": 0,
    }
    assert resource.RLIM_INFINITY not in {most for most, _ in limits.values()}


def test_a_file_that_grows_beyond_its_limit_is_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text(
        "import runpy, sys\n"
        f"child = runpy.run_path({picture_child.__file__!r}, run_name='child')\n"
        "child['confine'].__globals__['FILE_BYTES'] = 100\n"
        "sys.exit(child['main']())\n",
        "utf-8",
    )
    monkeypatch.setattr(picture_child, "__file__", str(spy))
    with pytest.raises(InvalidInput):
        draw(tmp_path, photo(b"x"), "image/jpeg")
