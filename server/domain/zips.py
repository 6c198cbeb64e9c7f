"""What reading a ZIP raises that is damaged, or made to hurt; the same for all who read some."""

from __future__ import annotations

import zipfile
import zlib

# RuntimeError is zipfile's word for a missing password and, as NotImplementedError, for a
# compression that it does not know.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


def is_damage(error: OSError) -> bool:
    """True for what bz2 says of damaged content; False for a disk that is full or fails.

    >>> is_damage(OSError("Invalid data stream")), is_damage(OSError(28, "No space left on device"))
    (True, False)
    """
    return error.errno is None
