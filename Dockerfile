# portfolio-sync as a container: python -m build's wheel in a slim image, an ordinary user, one writable folder (/data).
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY migrations ./migrations
COPY portfolio_sync ./portfolio_sync
RUN python -m venv /opt/portfolio-sync && /opt/portfolio-sync/bin/pip install --no-cache-dir .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --home-dir /data --no-create-home --shell /usr/sbin/nologin portfolio \
    && install -d -m 0700 -o portfolio -g portfolio /data
COPY --from=build /opt/portfolio-sync /opt/portfolio-sync
ENV PATH="/opt/portfolio-sync/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORTFOLIO_SYNC_DATABASE_URL="sqlite:////data/portfolio.db"
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8731/healthz', timeout=5)"]
ENTRYPOINT ["portfolio-sync"]
CMD ["serve"]
