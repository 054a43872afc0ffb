#!/bin/sh
# Run once, when the database of compose.yaml is made: a role that may do nothing but own its database.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$(cat /run/secrets/database_password)" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE manyhands LOGIN PASSWORD :'password';
CREATE DATABASE manyhands OWNER manyhands ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE manyhands FROM PUBLIC;
SQL
