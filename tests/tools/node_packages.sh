#!/bin/sh
# Installs the Node side of the test tools exactly as locked. Without npm the tests that need it say so.
set -u
cd "$(dirname "$0")" || exit 1
if ! command -v npm >/dev/null 2>&1; then
    echo "npm was not found: the checks that need Node are left out"
    exit 0
fi
npm ci --loglevel=error --no-progress >/dev/null && touch node_modules/installed && exit 0
echo "npm could not install the test tools: the checks that need Node are left out" >&2
exit 0
