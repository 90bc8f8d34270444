FROM registry.baidubce.com/paddlepaddle/paddle:3.0.0b1-gpu-cuda11.8-cudnn8.6-trt8.5@sha256:486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7
RUN python -m pip install --no-cache-dir paddleocr
FROM ubuntu:22.04 AS base-amd64
FROM arm64v8/ubuntu:22.04 AS base-arm64
FROM base-${TARGETARCH}
ONBUILD COPY --from=alpine:3.19 /etc/os-release /
