# trainyard itself, for a machine on which everything runs in containers.
#
#   deploy/docker/context.sh /tmp/context
#   docker build -f deploy/docker/trainyard.Dockerfile -t trainyard /tmp/context
#
#   docker run -d --name trainyard --init --restart unless-stopped --network host \
#     --user "$(id -u):$(id -g)" --group-add "$(stat -c %g /var/run/docker.sock)" \
#     -v /var/run/docker.sock:/var/run/docker.sock -v "$PWD:$PWD" -w "$PWD" trainyard
#   docker exec -it trainyard trainyard
#
# --network host: the stable address of the app is on loopback, and so are the ports of its containers. --init: what a stage
# leaves behind must be reaped. The project has the same path inside and outside, for Docker Engine is told that path when a
# stage or a release mounts something of it. Whoever may use the socket of Docker is root on this machine; that goes for
# this container too.
#
# Stages with a `command` find only what the base holds: take one with your tools, or give them `runner = "docker"`.
ARG BASE=debian:stable-slim
FROM ${BASE}

COPY rootfs/ /
# With a user that this image does not know, there is no home to be found.
ENV HOME=/tmp LANG=C.UTF-8
# Releases in containers go on without it. Stages and releases of the target `process` live in here and end with it.
STOPSIGNAL SIGTERM
# Ends with 3 where no daemon answers; `status` would read the journal and be content.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/usr/local/bin/trainyard", "query", "up"]
ENTRYPOINT ["/usr/local/bin/trainyard"]
CMD ["up", "--foreground"]
