# The worker and the `daybook` command. Debian, not Alpine: Temporal's SDK has binaries for glibc only.
FROM node:24-bookworm-slim

WORKDIR /opt/daybook
ENV NODE_ENV=production

COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force

# .dockerignore lists what comes along.
COPY . .
# Built here, where it may be written.
RUN node bin/daybook.mjs --version && node bin/run.mjs worker/make-bundle.ts /dev/null

# The image's account without rights; the folder holds the prebuilt workflow bundle between starts.
RUN install -d -o node -g node -m 0700 /var/lib/daybook
USER node
ENV DAYBOOK_DATA_DIR=/var/lib/daybook

ENTRYPOINT ["node", "bin/daybook.mjs"]
CMD ["worker"]
