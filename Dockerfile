# syntax=docker/dockerfile:1
# Two stages: the first has pip and installs the locked dependencies, the second has neither pip's cache nor a
# compiler. No secret is built in: keys live in a volume, passwords come from the environment or a file.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements/base.txt /tmp/base.txt
RUN /opt/venv/bin/pip install --require-hashes --no-deps --requirement /tmp/base.txt && /opt/venv/bin/pip check

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin trait-union \
    && mkdir --parents /var/lib/trait-union/keys /var/lib/trait-union/escrow /var/lib/trait-union/intake \
        /var/lib/trait-union/tls \
    && chown --recursive trait-union:trait-union /var/lib/trait-union \
    && chmod 0700 /var/lib/trait-union/keys /var/lib/trait-union/escrow /var/lib/trait-union/intake
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY config/ config/
COPY messaging/ messaging/
COPY matcher/ matcher/
COPY templates/ templates/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TRAIT_UNION_DATABASE_URL=sqlite:////var/lib/trait-union/trait-union.sqlite3 \
    TRAIT_UNION_KEYS_DIR=/var/lib/trait-union/keys
USER trait-union
VOLUME ["/var/lib/trait-union"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["python", "-m", "matcher"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8080"]
