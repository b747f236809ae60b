// The upstream test server under further names: several upstreams for the adapter, one process for the test.
import { mergeSettings } from './chain-config.ts'
import type { Layout } from './layout.ts'

const settingsAt = (issuer: string) => ({
  kind: 'oidc',
  issuer,
  client_id: 'test-client',
  client_secret: 'test-secret',
  claims: { test_auth_server_sub: 'sub', preferred_username: 'preferred_username', name: 'name' },
})

/** `layout` with an upstream for each of `names` beside the demo's own. */
export function withOtherUpstreams(layout: Layout, names: readonly string[]): Layout {
  if (names.length === 0) return layout
  const { adapterUrl, upstreamUrl } = layout.urls
  const callbacks = ['test-auth-server', ...names].map(
    (name) => `${adapterUrl}/login/oauth2/code/${name}`,
  )
  const upstreams = Object.fromEntries(names.map((name) => [name, settingsAt(upstreamUrl)]))
  const upstreamEnv = { ...layout.env['upstream'], UPSTREAM_REDIRECT_URIS: callbacks.join(',') }
  return {
    ...layout,
    env: { ...layout.env, upstream: upstreamEnv },
    config: mergeSettings(layout.config, { upstreams }),
  }
}
