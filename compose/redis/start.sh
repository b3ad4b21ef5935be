#!/bin/sh
# Start Redis with the password from the secret; `check` asks whether it answers instead.
set -eu
password=$(cat /run/secrets/redis_password)

if [ "${1:-}" = check ]; then
    [ "$(REDISCLI_AUTH=$password redis-cli ping)" = PONG ]
    exit
fi

umask 077
{ cat /usr/local/etc/redis/redis.conf; printf 'requirepass %s\n' "$password"; } >/run/redis/redis.conf
exec redis-server /run/redis/redis.conf
