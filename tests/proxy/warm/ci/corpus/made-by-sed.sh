#!/bin/bash
IMAGE=$(sed -n 's/^image: //p' values.yaml)
sed "s|IMAGE|$IMAGE|" pod.yaml.in > pod.yaml
docker pull $IMAGE
docker run --rm "${IMAGE:-alpine:3.18}" true
export DOCKER="nvidia-docker"
$DOCKER run --rm registry.baidubce.com/paddlepaddle/paddle:1.8.5-gpu-cuda10.0-cudnn7 true
