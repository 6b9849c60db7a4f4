# syntax=docker/dockerfile:1
# The operator and every service, in one image for amd64 and arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 --tag ghcr.io/todo-operator/todo:0.1.0 .

FROM swift:6.3-bookworm AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# Both stages are of one Debian release; its security updates are wanted, so versions are not pinned.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libcurl4-openssl-dev libpq-dev libyaml-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.* ./
COPY Sources Sources
COPY Tests Tests
# The Swift runtime goes into the executable; the C libraries stay with Debian, which mends them.
RUN swift build --configuration release --product todo --static-swift-stdlib \
    && strip --strip-debug -o /todo .build/release/todo

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="todo" \
      org.opencontainers.image.description="The todo platform and its Kubernetes operator" \
      org.opencontainers.image.source="https://github.com/todo-operator/todo-operator" \
      org.opencontainers.image.licenses="Apache-2.0"
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get upgrade --yes \
    && apt-get install --yes --no-install-recommends \
         ca-certificates libcurl4 libpq5 libstdc++6 libyaml-0-2 tzdata zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /todo /usr/bin/todo
# A number, so that runAsNonRoot can be checked; OpenShift runs it as another one.
USER 65532:65532
ENTRYPOINT ["/usr/bin/todo"]
