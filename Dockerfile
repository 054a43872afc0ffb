# Build:  docker build -t manyhands .
# Run:    docker run --read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges -p 8080:8080 \
#           -v manyhands-state:/var/lib/manyhands -v manyhands-keys:/etc/manyhands/keys \
#           -e MANYHANDS__SERVER__PUBLIC_URL=https://help.example.org manyhands
# A city: config/compose.yaml
# A command: docker exec CONTAINER manyhands coordinator list

FROM rust:1-bookworm AS build
WORKDIR /build

# For TLS to a database on another machine.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*

# The dependencies in a layer of their own, built with an empty program: it is made again only when the manifest or
# the lock file changes. The manifest's benches, examples and tests are cut out here, as their files are not there yet.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
RUN awk '/^\[/ { cut = /^\[\[(bench|example|test)\]\]/ } !cut' Cargo.toml > Cargo.cut \
    && mv Cargo.cut Cargo.toml \
    && mkdir src \
    && touch src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked --features postgres-tls \
    && cargo clean --release --locked --package manyhands \
    && rm -r src

COPY . .
RUN cargo build --release --locked --features postgres-tls


FROM debian:bookworm-slim

# Certificates for SMTP and databases over TLS, and OpenSSL for the latter; the time zones in which offers and quiet hours
# are told.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libssl3 tzdata \
    && rm -rf /var/lib/apt/lists/*

# A fixed uid and gid, so that the owner of the volumes stays the same from image to image.
RUN groupadd --gid 10001 manyhands \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/manyhands --shell /usr/sbin/nologin manyhands \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/manyhands /etc/manyhands/keys

COPY --from=build /build/target/release/manyhands /usr/local/bin/manyhands

# The admin address stays on the container's own loopback. The key ring has a volume of its own: whoever copies the
# database's volume does not hold the keys that open it.
ENV MANYHANDS__SERVER__BIND=0.0.0.0:8080 \
    MANYHANDS__SERVER__ADMIN_BIND=127.0.0.1:9090 \
    MANYHANDS__KEYS__PATH=/etc/manyhands/keys/keyring.toml

USER 10001:10001
WORKDIR /var/lib/manyhands
VOLUME ["/var/lib/manyhands", "/etc/manyhands/keys"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=7s --start-period=30s --retries=3 CMD ["manyhands", "doctor", "--live"]
ENTRYPOINT ["manyhands"]
CMD ["serve"]

# Last, because they differ from build to build.
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Manyhands" \
      org.opencontainers.image.description="Mutual aid: matches neighbors who need something with neighbors who can give it." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
