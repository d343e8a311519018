# The gateway without a database: a virtual environment on a slim Python image, run by a non-root user.
ARG BASE=python:3.13-slim-bookworm
# checkov:skip=CKV_DOCKER_7: the tag is in the argument, which checkov does not resolve

FROM ${BASE} AS build
WORKDIR /build
ENV PATH=/opt/uv/bin:$PATH \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/gateway

COPY requirements/uv.txt requirements/
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r requirements/uv.txt

# Layers from here on are ordered by how rarely they change: third-party packages first.
COPY requirements/run.txt requirements/
RUN uv venv --python python3 "$VIRTUAL_ENV" && uv pip install --require-hashes -r requirements/run.txt

# Builds a wheel without the code, for the pages only; the build of the full wheel below reuses them.
COPY requirements/build.txt requirements/
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY web web
RUN mkdir gateway && uv build --wheel --require-hashes --build-constraints requirements/build.txt

# .dockerignore selects the files.
COPY . .
RUN uv build --wheel --require-hashes --build-constraints requirements/build.txt \
    && uv pip install --no-deps dist/*.whl

FROM ${BASE}
LABEL org.opencontainers.image.title="transactions-gateway" \
      org.opencontainers.image.description="GraphQL and REST over a MongoDB collection of card transactions" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/gateway /opt/gateway
# The bytecode is compiled above, and the file system may be read-only.
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# The gateway reads a db_envs.yaml mounted here; with MONGO_… variables it needs none.
WORKDIR /etc/gateway
# By number, so that Kubernetes can verify that it is not root.
USER 10001:10001
EXPOSE 5000
STOPSIGNAL SIGTERM
# Readiness, not liveness: nothing restarts an unhealthy container, but others wait for it. Not urllib, which would use
# a proxy set in the environment.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", "\
from http.client import HTTPConnection; \
caller = HTTPConnection('127.0.0.1', 5000, timeout=4); \
caller.request('GET', '/health/ready'); \
raise SystemExit(caller.getresponse().status != 200)"]
# AWS Lambda overrides the entry point: `python -m awslambdaric gateway.lambda_handler.handle`.
ENTRYPOINT ["gateway"]
CMD ["serve", "--host", "0.0.0.0"]
