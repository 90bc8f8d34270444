#!/bin/sh
REPO=registry.baidubce.com/paddlepaddle/paddle
for tag in 2.4.2 2.5.2 \
           2.6.2; do
  docker pull $REPO:$tag
done
CUDAS=(11.8-cudnn8.9-trt8.6 12.6-cudnn9.5-trt10.5)
for cuda in "${CUDAS[@]}"; do
  docker pull "${REPO}:3.0.0-gpu-cuda${cuda}"
done
if [ "$ARCH" = arm64 ]; then
  TOOL=arm64v8/alpine:3.19
else
  TOOL=alpine:3.19
fi
docker pull "$TOOL"
case "$DEVICE" in
  npu) DEV_IMAGE=ccr-2vdh3abv-pub.cnc.bj.baidubce.com/device/paddle-npu:cann800-ubuntu20-npu-910b-base-aarch64-gcc84 ;;
  xpu) DEV_IMAGE=ccr-2vdh3abv-pub.cnc.bj.baidubce.com/device/paddle-xpu:ubuntu20-x86_64-gcc84-py310 ;;
esac
docker pull "$DEV_IMAGE"
docker build -t local/app:test .
docker run --rm local/app:test
docker tag local/app:test registry.example.com/app:test
while read -r name; do
  docker pull "$name"
done < images.txt
docker pull "${REPO%/*}/serving:0.9.0"
cat > Dockerfile <<EOF
RUN docker pull never/this:1
EOF
crictl pull registry.baidubce.com/paddlepaddle/paddle:3.0.0
podman --log-level debug run --rm docker://docker.io/library/hello-world
