ARG PADDLE_TAG
FROM registry.baidubce.com/paddlepaddle/paddle:${PADDLE_TAG}
COPY . /app
