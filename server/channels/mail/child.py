"""The process that reads one mail: raw on stdin, the letter as JSON on stdout.

Its exit status is 0 when the mail was read and 3 when it cannot be; then the reason stands on
stdout instead. Limits of time and memory are the system's, so nothing in a mail can outlast them.
"""

from __future__ import annotations

import json
import resource
import sys

CPU_S = 5
MEMORY_BYTES = 512 * 1024 * 1024
UNREADABLE = 3


def main() -> int:
    """Reads one mail."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    # After the limits: what is imported counts as well.
    from server.channels.mail.read import read_letter  # noqa: PLC0415  # see above
    from server.domain.letter import Unreadable, to_json  # noqa: PLC0415  # see above

    try:
        letter = read_letter(sys.stdin.buffer.read())
    except (Unreadable, MemoryError) as error:
        sys.stdout.write(str(error) or "memory")
        return UNREADABLE
    json.dump(to_json(letter), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
