# A small image with the program, git (for provenance and the target branch's baseline) and a shell (for `command` candidates).
# Built on musl, so that the program needs no library of the image.
FROM rust:1.95-alpine AS build
RUN apk add --no-cache gcc musl-dev
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY src ./src
COPY benches ./benches
RUN cargo build --release --locked && cp target/release/evalgauge /evalgauge

FROM alpine:3.22
RUN apk add --no-cache ca-certificates git
COPY --from=build /evalgauge /usr/local/bin/evalgauge
# A project that is mounted here belongs to somebody else.
RUN git config --system --add safe.directory '*'
WORKDIR /project
ENTRYPOINT ["evalgauge"]
CMD ["check"]
