"""The process that draws one picture anew: paths as arguments, what came of it as JSON on stdout.

Drawn anew, a picture is its pixels and nothing else: no place where it was taken, no script, no
second file behind it. Limits of time and memory are the system's, so no picture can outlast them.
It imports nothing of the server, so that it starts quickly.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any  # Any: Pillow is imported later

CPU_S = 20
MEMORY_BYTES = 1024 * 1024 * 1024
# 40 megapixels of four bytes that nothing can be squeezed out of, and room.
FILE_BYTES = 192 * 1024 * 1024
OPEN_FILES = 64
REFUSED = 3
# 40 megapixels: what the cameras of phones take; four bytes each while it is worked on.
MOST_PIXELS = 40_000_000
MOST_FRAMES = 100
# All frames of a moving picture together.
MOST_MOVING = 60_000_000
THUMB_SIDE = 480
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}


class Refused(Exception):
    """A picture that is not kept, and the word for why."""


def main() -> int:
    """Draws the picture at argv[1], of the media type argv[2], to argv[3] and small to argv[4]."""
    confine()
    source, media_type, target, thumb = sys.argv[1:5]
    try:
        width, height = draw(source, FORMATS[media_type], target, thumb)
    except Refused as error:
        sys.stdout.write(str(error))
        return REFUSED
    except (OSError, ValueError, SyntaxError, MemoryError, EOFError, KeyError, ArithmeticError):
        # What Pillow raises for what is broken; a full disk is met again by who called.
        sys.stdout.write("broken")
        return REFUSED
    json.dump({"width": width, "height": height}, sys.stdout)
    return 0


def confine() -> None:
    """Sets the limits of this process; a file that grows beyond its own is an OSError."""
    for what, most in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def draw(source: str, form: str, target: str, thumb: str) -> tuple[int, int]:
    """The size of the new picture. Raises Refused, and what Pillow raises."""
    # After the limits: what is imported counts as well.
    from PIL import Image, ImageOps  # noqa: PLC0415  # see above

    # Counted below, with a word for why; only the head is read before that.
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(source, formats=[form]) as picture:
        if picture.width * picture.height > MOST_PIXELS or min(picture.size) < 1:
            raise Refused("too_large")
        frames = getattr(picture, "n_frames", 1)
        if frames > 1 and form in ("GIF", "WEBP"):
            if frames > MOST_FRAMES or frames * picture.width * picture.height > MOST_MOVING:
                raise Refused("too_long")
            _moving(picture, form, target, frames)
            picture.seek(0)
            still = picture.convert("RGBA")
        else:
            picture.seek(0)
            picture.load()
            still = _plain(ImageOps.exif_transpose(picture))
            if form == "JPEG":
                still = still.convert("RGB")
            options = {"JPEG": {"quality": 88, "optimize": True}, "WEBP": {"quality": 88}}
            with Path(target).open("wb") as file:
                still.save(whole(file), form, **options.get(form, {}))
        size = still.size
        still.thumbnail((THUMB_SIDE, THUMB_SIDE))
        with Path(thumb).open("wb") as file:
            still.save(whole(file), "WEBP", quality=80)
    return size


def whole(file: IO[bytes]) -> Any:  # Any: Pillow takes what can be written to
    """A file that takes all of what is written, or raises.

    Given a number of the system Pillow writes by itself, and leaves half a picture when the disk is
    full or the limit reached. So this has none.
    """
    return SimpleNamespace(write=file.write, seek=file.seek, tell=file.tell, flush=file.flush)


def _plain(picture: Any) -> Any:  # Any: Pillow is imported later
    """The picture in plain sRGB, with nothing said about it."""
    from PIL import Image, ImageCms  # noqa: PLC0415  # see ``draw``

    profile = picture.info.get("icc_profile")
    clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    mode = "RGBA" if clear else "RGB"
    if profile and picture.mode in ("RGB", "RGBA", "CMYK", "L"):
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            known = ImageCms.createProfile("sRGB")
            if picture.mode == "RGBA":
                alpha = picture.getchannel("A")
                picture = ImageCms.profileToProfile(picture.convert("RGB"), given, known)
                picture.putalpha(alpha)
            else:
                picture = ImageCms.profileToProfile(picture, given, known, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass  # colours a little off are better than no picture
    if picture.mode.startswith("I") or picture.mode == "F":
        # 16 bits a channel: the upper eight are what a screen shows.
        picture = picture.point(lambda value: value / 256).convert("L")
    made = picture.convert(mode)
    # A new one: convert hands on what the old one said about itself.
    plain = Image.new(mode, made.size)
    plain.paste(made)
    return plain


def _moving(picture: Any, form: str, target: str, frames: int) -> None:  # Any: as above
    drawn, spans = [], []
    for number in range(frames):
        picture.seek(number)
        picture.load()
        spans.append(max(20, int(picture.info.get("duration") or 100)))
        drawn.append(picture.convert("RGBA"))
    for one in drawn:
        one.info.clear()
    with Path(target).open("wb") as file:
        drawn[0].save(
            whole(file),
            form,
            save_all=True,
            append_images=drawn[1:],
            duration=spans,
            loop=0,
            **({"disposal": 2} if form == "GIF" else {"quality": 80}),
        )


if __name__ == "__main__":
    sys.exit(main())
