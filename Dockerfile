# syntax=docker/dockerfile:1
# CPU:  docker build --target cpu  -t imgen .        && docker run -p 8080:8080 -v imgen-data:/data imgen
# CUDA: docker build --target cuda -t imgen:cuda .   && docker run --gpus all -p 8080:8080 -v imgen-data:/data imgen:cuda
# The first API key is in the log of the first start. Other checkpoints are mounted below /opt/imgen/models, their presets
# below /opt/imgen/presets/models.

FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip make nasm cmake && rm -rf /var/lib/apt/lists/*
# The run path in the binary is the one it is built at, so it is built where it will run.
WORKDIR /opt/imgen
COPY scripts scripts
RUN scripts/setup/setup.sh run
COPY Cargo.toml Cargo.lock build.rs ./
COPY .cargo .cargo
COPY src src
COPY tests tests
COPY benches benches
RUN cargo build --release --locked --bin imgen && strip target/release/imgen

FROM debian:bookworm-slim AS base
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --create-home --home-dir /home/imgen imgen \
  && install -d -o imgen -g imgen -m 0700 /data
WORKDIR /opt/imgen
COPY --from=build /opt/imgen/.libtorch/lib .libtorch/lib
COPY --from=build /opt/imgen/.filters .filters
COPY --from=build /opt/imgen/.enhancer .enhancer
COPY --from=build /opt/imgen/target/release/imgen /usr/local/bin/imgen
COPY presets presets
COPY loras loras
COPY models models
# libtorch's threads sleep while they wait; the service would start itself once more to set this.
ENV OMP_WAIT_POLICY=passive
ENV IMGEN_LISTEN=0.0.0.0:8080 IMGEN_PUBLIC_URL=http://127.0.0.1:8080 IMGEN_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD curl -fsS http://127.0.0.1:8080/readyz || exit 1
ENTRYPOINT ["imgen"]
CMD ["serve"]

FROM base AS cuda
# The same binary; libtorch with CUDA comes from the torch wheel and the NVIDIA wheels that it pins.
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-pip && rm -rf /var/lib/apt/lists/* \
  && python3 -m pip install --no-cache-dir --no-compile --target /opt/torch torch==2.11.0
ENV IMGEN_LIBTORCH=/opt/torch/torch/lib IMGEN_DEVICE=cuda:0 NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER imgen

FROM base AS cpu
USER imgen
