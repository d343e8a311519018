#!/bin/bash
# As the entry point of MongoDB's image does: creates the first user before the server can be reached from outside.
set -euo pipefail
if ! test -e /data/db/WiredTiger; then
  mongod --bind_ip 127.0.0.1 --fork --logpath /tmp/first.log >/dev/null
  mongosh --quiet --norc --eval "
    db.getSiblingDB('admin').createUser({
      user: process.env.MONGO_INITDB_ROOT_USERNAME,
      pwd: require('fs').readFileSync(process.env.MONGO_INITDB_ROOT_PASSWORD_FILE, 'utf8').trim(),
      roles: ['root'],
    })" >/dev/null
  mongod --shutdown >/dev/null
fi
exec "$@"
