# Sourced by .ci/run, .ci/advisories, .ci/mutants, tests/run and tests/fuzz/run, from the root of the project.

# Where rustup and cargo_tool (below) put what they install, also in a shell that never read the profile.
PATH="$PWD/target/ci-tools/bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
# A download that stalls is tried again instead of failing the run.
export PATH CARGO_NET_RETRY="${CARGO_NET_RETRY:-5}"

# step NAME COMMAND...
# Runs the command with its output held back, and prints one line with the time it took. A failure shows the output
# and ends the script with the command's exit code.
step() {
  local name=$1 log status start=$SECONDS
  shift
  log=$(mktemp)
  printf 'step %s … ' "$name"
  set +e
  (set -e && "$@") >"$log" 2>&1 </dev/null
  status=$?
  set -e
  if ((status == 0)); then
    printf 'ok %d s\n' $((SECONDS - start))
    rm -f "$log"
    return
  fi
  printf 'FAILED %d s (exit code %d)\n' $((SECONDS - start)) "$status"
  cat "$log"
  rm -f "$log"
  exit "$status"
}

# cargo_tool NAME VERSION
# Sees to it that exactly this version of a cargo tool is there. One that is missing goes where `cargo install` puts
# it; where somebody uses another version, that one is left alone and ours goes to target/ci-tools.
cargo_tool() {
  local name=$1 version=$2 found root="${CARGO_HOME:-$HOME/.cargo}"
  if command -v "$name" >/dev/null; then
    # One of them knows its version only as a command of cargo.
    found=$("$name" --version 2>/dev/null) || found=$(cargo "${name#cargo-}" --version 2>/dev/null) || found=unknown
    if [ "${found##* }" = "$version" ]; then
      return
    fi
    root=target/ci-tools
  fi
  # They are quick enough unoptimized; their own release profile takes several times as long to compile.
  CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    cargo install --locked --force --root "$root" --version "$version" "$name"
}

# The versions that .ci/run and .ci/advisories agree on.
CARGO_DENY_VERSION=0.20.2
CARGO_MACHETE_VERSION=0.9.2
