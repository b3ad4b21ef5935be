#!/bin/sh
# Start mosquitto with its users from the secrets; `check` asks it for its uptime instead.
set -eu
secrets=/run/secrets

if [ "${1:-}" = check ]; then
    exec mosquitto_sub -h localhost -p 8883 --cafile "$secrets/tls_ca" -u bridge -P "$(cat "$secrets/mqtt_bridge")" \
        -t '$SYS/broker/uptime' -C 1 -W 4
fi

umask 077
run=/mosquitto/run
mkdir -p "$run"
: >"$run/passwords"
mosquitto_passwd -b "$run/passwords" bridge "$(cat "$secrets/mqtt_bridge")"
mosquitto_passwd -b "$run/passwords" mes "$(cat "$secrets/mqtt_mes")"
# One line per edge node: its edge node id, a colon, its password.
while IFS=: read -r node password; do
    case $node in '' | '#'*) continue ;; esac
    mosquitto_passwd -b "$run/passwords" "$node" "$password"
done <"$secrets/mqtt_nodes"
cp /mosquitto/config/acl.source "$run/acl"
cp "$secrets/tls_ca" "$run/ca.crt"
cp "$secrets/tls_certificate" "$run/server.crt"
cp "$secrets/tls_key" "$run/server.key"
chown -R mosquitto:mosquitto "$run" /mosquitto/data
exec mosquitto -c /mosquitto/config/mosquitto.conf
