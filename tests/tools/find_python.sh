#!/bin/sh
# Prints the first Python on the path that is new enough and can make virtual environments.
# A name alone proves nothing (version managers put dead names on the path), so each is tried.
for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3.14 python3 python; do
    if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        command -v "$name"
        exit 0
    fi
done
{
    echo "Shopbell needs Python 3.11 or newer with its venv module; none was found on the path."
    echo "Debian, Ubuntu: apt install python3 python3-venv     macOS: brew install python@3.13"
    echo "Or name it: make run PYTHON=/path/to/python3"
} >&2
exit 1
