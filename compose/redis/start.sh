#!/bin/sh
# Start Redis with the password from the secret; `check` asks whether it answers instead.
set -eu
password=$(cat /run/secrets/redis_password)

if [ "${1:-}" = check ]; then
    [ "$(REDISCLI_AUTH=$password redis-cli ping)" = PONG ]
    exit
fi

# Settings by standard input: the password stands in no file and in no command line.
exec redis-server - <<END
$(cat /usr/local/etc/redis/redis.conf)
requirepass $password
END
