# The model server with one model, for machines that have Docker and no trainyard.
#
#   deploy/docker/context.sh /tmp/context --scratch --model .trainyard/models/3
#   docker build -f deploy/docker/model-server.Dockerfile -t wine:3 /tmp/context
#   docker run -d --restart unless-stopped -p 127.0.0.1:8080:8080 wine:3
#
# On a base with a shell, to look around inside: leave --scratch out, and build with --build-arg BASE=debian:stable-slim.
# Nothing is compiled here: the program is the one that was tested.
ARG BASE=scratch
FROM ${BASE}

COPY rootfs/ /
COPY model/ /model

# The server reads files and answers; it needs no user that exists.
USER 65534:65534
# In a container, loopback would be nobody's address.
ENV TRAINYARD_LISTEN=0.0.0.0:8080
EXPOSE 8080
# No HEALTHCHECK: it would need a program in the image that asks. Ask /healthz and /readyz from outside, as trainyard and
# Kubernetes do.
ENTRYPOINT ["/usr/local/bin/trainyard", "serve", "--model", "/model"]
