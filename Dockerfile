# One image for web, controller, worker, beat and agent; the command says which: `web --bind 0.0.0.0:8000`, `controller`...
FROM python:3.11-slim-bookworm

# The adbutils wheel brings adb on x86-64; there is none for arm64.
RUN if [ "$(dpkg --print-architecture)" != amd64 ]; then \
        apt-get update && apt-get install -y --no-install-recommends adb && rm -rf /var/lib/apt/lists/*; \
    fi
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/phonerack --shell /usr/sbin/nologin phonerack

WORKDIR /app
COPY requirements.txt ./
RUN python3 -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        --require-hashes -r requirements.txt
COPY LICENSE manage.py ./
COPY config config
COPY devices devices
COPY accounts accounts
COPY automation automation
RUN python3 -m compileall -q config devices accounts automation

# All that is written lies here: keys of an agent, beat's schedule. Passwords and keys come as files (compose file).
ENV PHONERACK_STATE=/var/lib/phonerack/state \
    PHONERACK_AGENT_STATE=/var/lib/phonerack/state/agents \
    PYTHONUNBUFFERED=1
USER phonerack
RUN mkdir -p -m 700 /var/lib/phonerack/state
ENTRYPOINT ["python3", "manage.py"]
CMD ["help"]
