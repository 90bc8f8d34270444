#!/usr/bin/env bash
set -euo pipefail
: "${PADDLE_IMAGE:=registry.baidubce.com/paddlepaddle/paddle:2.6.2}"
TAG=${TAG:-3.0.0-gpu-cuda11.8-cudnn8.9-trt8.6}
RUN_ARGS="--rm -it --shm-size=16g"

docker pull "$PADDLE_IMAGE"
sudo docker run $RUN_ARGS --gpus all --name trainer \
  -v "$(pwd)":/work -w /work -e HTTP_PROXY -p 8888:8888 \
  "registry.baidubce.com/paddlepaddle/paddle:${TAG}" \
  /bin/bash -c "docker run never/seen:1 && python train.py"
nvidia-docker run -itd --network=host --privileged registry.baidubce.com/paddlepaddle/paddle:2.5.2-gpu-cuda11.2-cudnn8.2-trt8.0 /bin/bash
echo docker pull registry.example.com/only/said:1
# docker pull registry.example.com/commented/out:1
if docker pull busybox:1.36; then echo ok; fi
ID=$(docker create quay.io/example/files:7)
docker cp "$ID:/x" .
docker run --rm 'alpine:3.19' true; docker exec trainer ls
docker run --rm $1
docker run "$(cat image.txt)"
docker run 08d38377a9c7 nvidia-smi
docker start trainer
