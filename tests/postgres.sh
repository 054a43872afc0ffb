# shellcheck shell=bash
# Sourced by tests/run: a PostgreSQL of its own for the tests, on this machine only, gone when they are through.
#
# postgres_up      finds one, installs it where that is possible, and starts it; exports MANYHANDS_TEST_POSTGRES and
#                  MANYHANDS_TEST_POSTGRES_TLS. Where there is none, it says why in $postgres_missing. A server that is
#                  named there already is left alone.
# postgres_down    stops it and removes what it has written.
# Nothing of another cluster on this machine is touched, and none is made that outlives the tests.

postgres_dir=
postgres_bin=
postgres_missing=

# Who runs the server: it refuses to be run by root.
postgres_as() {
  local user
  if [ "$(id -u)" != 0 ]; then
    "$@"
    return
  fi
  user=$(postgres_user)
  # From a directory that everybody can reach, and with nothing of root's environment.
  (cd / && exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups env -i PATH="$PATH" "$@")
}

postgres_user() {
  id -u postgres >/dev/null 2>&1 && echo postgres || echo nobody
}

# The newest of the versions that are installed.
postgres_find() {
  local found
  found=$(find /usr/lib/postgresql/*/bin -name initdb 2>/dev/null | sort -V | tail -n 1)
  [ -n "$found" ] || found=$(command -v initdb) || return 1
  postgres_bin=$(dirname "$(readlink -f "$found")")
  [ -x "$postgres_bin/pg_ctl" ] && [ -x "$postgres_bin/postgres" ]
}

# Debian's package makes a cluster and starts it, unless it is told not to.
postgres_install() {
  local clusters=/etc/postgresql-common/createcluster.conf
  if [ ! -e "$clusters" ]; then
    mkdir -p "$(dirname "$clusters")"
    printf '%s\n' "# The tests of Manyhands installed PostgreSQL, and need no cluster that stays." \
      'create_main_cluster = false' >"$clusters"
  fi
  apt_get install --no-install-recommends postgresql || {
    apt_get update
    apt_get install --no-install-recommends postgresql
  }
}

# A directory that the server's user can reach: in the checkout, unless that is closed to it.
postgres_home() {
  local base
  for base in "$tools" "${TMPDIR:-/tmp}"; do
    postgres_dir=$(mktemp -d "$base/postgres.XXXXXX") || continue
    if [ "$(id -u)" = 0 ]; then
      chown "$(postgres_user)" "$postgres_dir"
    fi
    if postgres_as test -w "$postgres_dir"; then
      return
    fi
    rm -rf "$postgres_dir"
  done
  postgres_dir=
  return 1
}

# Whether nobody listens there. Somebody may begin to before the server does; then it does not start, and another port
# is tried.
postgres_port_is_free() {
  ! (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# postgres_certificate NAME [OPTION…]
postgres_certificate() {
  local name=$1
  shift
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$name" \
    -keyout "$name.key" -out "$name.pem" "$@"
}

# Certificates for tests/postgres_tls.rs. Everything else asks for no TLS.
postgres_certificates() {
  local tls=$postgres_dir/tls
  mkdir "$tls" && (
    cd "$tls" && postgres_certificate ca && postgres_certificate stranger &&
      # The number of its address is a name for this machine that no program takes for its own.
      postgres_certificate server -CA ca.pem -CAkey ca.key -addext 'subjectAltName=DNS:2130706433' &&
      chmod 600 server.key
  ) || return
  if [ "$(id -u)" = 0 ]; then
    chown -R "$(postgres_user)" "$tls"
  fi
}

# Loopback only, and with a password: whoever else uses this machine must not become who runs the tests.
# fsync stays on: what was acknowledged is on disk is one of the things tested.
postgres_start() {
  local password port data=$postgres_dir/data
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '%s\n' "$password" >"$postgres_dir/password")
  if [ "$(id -u)" = 0 ]; then
    chown "$(postgres_user)" "$postgres_dir/password"
  fi
  postgres_as "$postgres_bin/initdb" -D "$data" --username=tests --pwfile="$postgres_dir/password" \
    --auth=scram-sha-256 --encoding=UTF8 --no-locale || return
  postgres_certificates || return
  for _ in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    postgres_port_is_free "$port" || continue
    # Its socket stands in its own directory, where the path is short enough for one.
    if postgres_as "$postgres_bin/pg_ctl" start -D "$data" -w -t 60 -l "$postgres_dir/log" -o "-p $port -h 127.0.0.1 \
      -c unix_socket_directories='$( ((${#postgres_dir} < 80)) && echo "$postgres_dir")' \
      -c ssl=on -c ssl_cert_file=$postgres_dir/tls/server.pem -c ssl_key_file=$postgres_dir/tls/server.key \
      -c max_connections=400 -c timezone=UTC -c log_min_messages=fatal ${postgres_options:-}"; then
      (umask 077 && printf 'postgres://tests:%s@127.0.0.1:%s/postgres?sslmode=disable\n' "$password" "$port" >"$postgres_dir/url")
      rm -f "$postgres_dir/password"
      return
    fi
    cat "$postgres_dir/log"
    grep -q 'Address already in use' "$postgres_dir/log" || return 1
    : >"$postgres_dir/log"
  done
  return 1
}

postgres_up() {
  local log start=$SECONDS
  if [ -n "${MANYHANDS_TEST_POSTGRES:-}" ]; then
    return
  fi
  log=$(mktemp)
  printf 'step postgres … '
  if ! postgres_find; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
      postgres_missing='it is not installed (on Debian: sudo apt-get install --no-install-recommends postgresql)'
    elif ! postgres_install >"$log" 2>&1 </dev/null || ! postgres_find; then
      postgres_missing='it could not be installed'
    fi
  fi
  if [ -z "$postgres_missing" ] && ! postgres_home; then
    postgres_missing="there is no directory that the user $(postgres_user) can write to"
  fi
  if [ -z "$postgres_missing" ] && ! postgres_start >"$log" 2>&1; then
    postgres_missing='it did not start'
  fi
  if [ -z "$postgres_missing" ]; then
    MANYHANDS_TEST_POSTGRES=$(cat "$postgres_dir/url")
    MANYHANDS_TEST_POSTGRES_TLS=$postgres_dir/tls
    export MANYHANDS_TEST_POSTGRES MANYHANDS_TEST_POSTGRES_TLS
    printf 'ok %d s\n' $((SECONDS - start))
  else
    printf 'NONE %d s: %s\n' $((SECONDS - start)) "$postgres_missing"
    cat "$log"
  fi
  rm -f "$log"
}

postgres_down() {
  if [ -z "$postgres_dir" ]; then
    return
  fi
  if [ -e "$postgres_dir/data/postmaster.pid" ]; then
    # Nothing of it is kept, so it need not tidy up.
    postgres_as "$postgres_bin/pg_ctl" stop -D "$postgres_dir/data" -m immediate -w -t 30 >/dev/null 2>&1 || :
  fi
  rm -rf "$postgres_dir"
  postgres_dir=
}
