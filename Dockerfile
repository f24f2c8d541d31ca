# The image of Wardgate; operator and proxy are one program in one image:
#
#   docker build -t wardgate:0.1.0 --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
#
# Every package comes from a lock, by its hash; a lock is complete, so pip resolves nothing. BASE_IMAGE needs Python 3.11 or newer with pip.
# A release names it by digest: python3 -m release.base_image tells the newest (docs/releasing.md).
# --build-arg SOURCE_DATE_EPOCH=... is the time of what is made; the same source and base then give the same image (decision 69).
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS build
ARG BASE_IMAGE
ARG SOURCE_DATE_EPOCH
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# The compiler and strip stay in this stage: the image has neither.
RUN command -v gcc >/dev/null || \
    { apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*; }
RUN python3 -m venv --without-pip /opt/wardgate && python3 -m venv --without-pip /build/tools

COPY locks/run.txt locks/build.txt locks/
RUN python3 -m pip --python /opt/wardgate/bin/python install \
      --no-compile --no-deps --require-hashes --only-binary :all: -r locks/run.txt
RUN python3 -m pip --python /build/tools/bin/python install \
      --no-deps --require-hashes --only-binary :all: -r locks/build.txt

COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY operator/ operator/
COPY release/ release/
RUN HATCH_BUILD_HOOKS_ENABLE=true /build/tools/bin/python -m hatchling build -t wheel -d dist
RUN python3 -m pip --python /opt/wardgate/bin/python install --no-compile --no-deps --no-index dist/*.whl && \
    python3 -m pip --python /opt/wardgate/bin/python check
# Symbols for debuggers are a third of the environment. What was stripped is run before it is shipped.
RUN find /opt/wardgate/lib -name '*.so*' -type f -exec strip --strip-unneeded {} +
# The container's file system is read-only: bytecode is made here, holds no time, and is never looked at twice.
RUN /opt/wardgate/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/wardgate/lib && \
    /opt/wardgate/bin/wardgate operator --help >/dev/null && /opt/wardgate/bin/wardgate proxy --help >/dev/null
# The list of all packages (CycloneDX), for scanners.
RUN /build/tools/bin/python -m release.sbom /opt/wardgate >/opt/wardgate/sbom.cdx.json

FROM ${BASE_IMAGE}
ARG BASE_IMAGE
ARG VERSION=""
ARG REVISION=""
ARG CREATED=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="Wardgate" \
      org.opencontainers.image.description="An API-key gateway for AI APIs on Kubernetes" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
COPY --from=build /opt/wardgate /opt/wardgate
ENV PATH="/opt/wardgate/bin:${PATH}" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# By number, so that Kubernetes can see that it is not root.
USER 65532:65532
ENTRYPOINT ["wardgate"]
