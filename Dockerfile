# The gateway alone: a virtual environment on a slim Python, run by a user who is not root. The database is elsewhere.
ARG BASE=python:3.13-slim-bookworm
# checkov:skip=CKV_DOCKER_7: the tag stands in the argument, which checkov does not look into

FROM ${BASE} AS build
WORKDIR /build
ENV PATH=/opt/uv/bin:$PATH \
    UV_COMPILE_BYTECODE=1 \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never \
    VIRTUAL_ENV=/opt/gateway

COPY requirements/uv.txt requirements/
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r requirements/uv.txt

# From here on in the order of how seldom each part changes: first what others wrote.
COPY requirements/run.txt requirements/
RUN uv venv --python python3 "$VIRTUAL_ENV" && uv pip install --require-hashes -r requirements/run.txt

# A wheel without code builds the pages, which the wheel with it then finds ready.
COPY requirements/build.txt requirements/
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY web web
RUN mkdir gateway && uv build --wheel --require-hashes --build-constraints requirements/build.txt

# .dockerignore says what this is.
COPY . .
RUN uv build --wheel --require-hashes --build-constraints requirements/build.txt \
    && uv pip install --no-deps dist/*.whl

FROM ${BASE}
LABEL org.opencontainers.image.title="transactions-gateway" \
      org.opencontainers.image.description="GraphQL and REST over a MongoDB collection of card transactions" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/gateway /opt/gateway
# Bytecode was compiled above; the file system may be read-only.
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A db_envs.yaml mounted here is read; MONGO_… variables do without.
WORKDIR /etc/gateway
# By number, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 5000
STOPSIGNAL SIGTERM
# Ready rather than live: nothing restarts a container for this, but others wait for it. Not by urllib, which would ask
# a proxy that the environment names.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", "\
from http.client import HTTPConnection; \
caller = HTTPConnection('127.0.0.1', 5000, timeout=4); \
caller.request('GET', '/health/ready'); \
raise SystemExit(caller.getresponse().status != 200)"]
# AWS Lambda has its own: `python -m awslambdaric gateway.lambda_handler.handle`.
ENTRYPOINT ["gateway"]
CMD ["serve", "--host", "0.0.0.0"]
