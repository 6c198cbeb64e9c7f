#!/bin/sh
# Writes constraints.txt from a fresh environment: usage pins.sh PYTHON
set -eu
unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$1" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet '.[test,test-postgres,test-redis]' editables
{
    echo '# Exact versions of everything that `make run` and `make test` install.'
    echo '# Made anew with `make pins` after a change of pyproject.toml; read the difference before committing.'
    "$work/venv/bin/pip" freeze --exclude shopbell
} > constraints.txt
