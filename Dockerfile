# The toolkit for pipelines that run containers. The release workflow builds it from the wheel that it published:
#
#   docker build --build-arg BASE=python:3.13-slim@sha256:DIGEST -t threatmodel .
#   docker run --rm -v "$PWD:/repository:ro" threatmodel check
#
# BASE has no default: the workflow resolves the tag to a digest, and records which one it used.
ARG BASE
FROM ${BASE} AS build
COPY requirements.lock /tmp/requirements.lock
COPY dist/*.whl /tmp/
RUN python -m venv /opt/threatmodel \
 && /opt/threatmodel/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/requirements.lock \
 && /opt/threatmodel/bin/pip install --no-cache-dir --no-index --no-deps /tmp/*.whl \
 && /opt/threatmodel/bin/pip uninstall --yes pip

FROM ${BASE}
COPY --from=build /opt/threatmodel /opt/threatmodel
# Root owns the program; the user who runs it can write nowhere but to a mounted folder and /tmp.
RUN groupadd --system --gid 10001 tm && useradd --system --uid 10001 --gid tm --no-create-home --home-dir /nonexistent tm
ENV PATH=/opt/threatmodel/bin:$PATH PYTHONDONTWRITEBYTECODE=1 TM_CACHE=off
USER 10001:10001
WORKDIR /repository
ENTRYPOINT ["tm"]
CMD ["--help"]
