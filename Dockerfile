# syntax=docker/dockerfile:1
# One image, one process: the server and the built client. See compose.yaml.
ARG PYTHON=python:3.13.9-slim-bookworm
ARG NODE=node:22.21.0-bookworm-slim

FROM ${NODE} AS client
WORKDIR /client
COPY static/client/package.json static/client/package-lock.json ./
RUN ["npm", "ci", "--no-audit", "--no-fund"]
COPY static/client ./
RUN ["npm", "run", "build"]

FROM ${PYTHON} AS server
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN ["python", "-m", "venv", "/venv"]
COPY requirements.txt /tmp/
RUN ["/venv/bin/pip", "install", "--require-hashes", "-r", "/tmp/requirements.txt"]
WORKDIR /app
COPY pyproject.toml README.md LICENSE ./
COPY crdt crdt
COPY rooms rooms
COPY server server
COPY load load
RUN ["/venv/bin/pip", "install", "--no-deps", "--no-build-isolation", "--editable", "."]
RUN ["/venv/bin/python", "-m", "compileall", "-q", "/app"]

FROM ${PYTHON}
RUN ["useradd", "--uid", "10001", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "twinspace"]
RUN ["install", "-d", "-o", "twinspace", "-g", "twinspace", "-m", "0700", "/data"]
COPY --from=server /venv /venv
COPY --from=server /app /app
COPY --from=client /client/dist /app/static/client/dist
WORKDIR /app
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TWINSPACE_HOST=0.0.0.0 \
    TWINSPACE_PORT=8080 \
    TWINSPACE_DATA=/data \
    TWINSPACE_LOG_FORMAT=json
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['TWINSPACE_PORT']}/healthz\", timeout=4).close()"]
ENTRYPOINT ["twinspace"]
CMD ["serve"]
