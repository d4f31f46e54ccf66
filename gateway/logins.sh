#!/bin/sh
# Makes the two logins of an AppView and its database, once, when Postgres begins with an empty folder.
set -eu
psql --set ON_ERROR_STOP=1 --username postgres \
  --set indexer="$INDEXER_PG_PASSWORD" --set gateway="$GATEWAY_PG_PASSWORD" <<'SQL'
CREATE ROLE indexer LOGIN CREATEROLE PASSWORD :'indexer';
CREATE ROLE stratos_gateway NOLOGIN;
CREATE ROLE gateway LOGIN PASSWORD :'gateway' IN ROLE stratos_gateway;
CREATE DATABASE appview OWNER indexer;
SQL
