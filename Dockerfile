# One image for the three processes of the chain. The adapter is what it runs unless told otherwise:
#   docker run … auth-adapter                                    the adapter
#   docker run … auth-adapter node upstream-test-server/main.ts  the upstream test server
#   docker run … auth-adapter node test-app/main.ts              the test app
# The root file system may be read-only; state goes to the volume /data.

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc* ./
# The Node of the lockfile is for machines without Node 24; the image has its own.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production AUTH_ADAPTER_DATA=/data MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY . .
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 9000
# Asks the admin listener, which only this container can reach.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ADAPTER_ADMIN_PORT || 9010}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "adapter/main.ts", "--config", "auth-adapter.yaml"]
