#!/bin/sh
# Make the secrets that docker-compose.yml reads, each once, in deploy/secrets/. A second call changes nothing.
# Keep a copy elsewhere: without field_keys no stored password opens again.
set -eu
cd "$(dirname -- "$0")"
umask 022
mkdir -p -m 700 secrets # the folder keeps others out; the containers' users read the files through their mounts
cd secrets

random() { od -An -v -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }
base64_key() { head -c 32 /dev/urandom | base64 | tr -d '\n'; }

put() { # put NAME: standard input, into a file that is there whole or not at all
    [ ! -d "$1" ] || rmdir "$1" # an engine that was started too early has made a folder of it
    if [ -f "$1" ]; then
        cat >/dev/null
    else
        cat >"$1.new"
        mv "$1.new" "$1"
        printf '%s\n' "made deploy/secrets/$1"
    fi
}

random 32 | put secret_key
printf 'k1:%s' "$(base64_key)" | put field_keys
random 32 | put controller_key
random 24 | put postgres_password
random 24 | put redis_password
printf 'postgres://phonerack:%s@postgres:5432/phonerack' "$(cat postgres_password)" | put database_url
printf 'redis://:%s@redis:6379/0' "$(cat redis_password)" | put redis_url
put redis.conf <<END
# The queue. What it loses is offered again from the database; the log on disk only saves that work.
requirepass $(cat redis_password)
dir /data
appendonly yes
save ""
maxmemory-policy noeviction
END
