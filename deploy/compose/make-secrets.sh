#!/bin/sh
# Make ./secrets for compose.yaml: new passwords, and the database URLs that hold them. Existing files stay as they are.
# Your API key goes to secrets/kraken_api_key and secrets/kraken_api_secret by your own hand.
set -eu
umask 077
mkdir -p secrets
for role in superuser owner service analyst; do
    file=secrets/database_${role}_password
    [ -e "$file" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$file"
done
for role in owner service; do
    file=secrets/database_${role}_url
    [ -e "$file" ] || printf 'postgresql://portfolio_%s:%s@database/portfolio' "$role" "$(cat secrets/database_${role}_password)" >"$file"
done
