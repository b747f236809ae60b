// What the circumstances of a login mean before it begins: which parameters count, whether an upstream may be asked without
// a page, and whether a session that is there is strong enough.
import type { Config } from '../../config/schema.ts'
import type { Identity } from '../../storage/sessions/identities.ts'
import type { ChoiceRequest, UpstreamChooser } from '../choose/choose-upstream.ts'
import { askedContext, MARKERS } from './asked-context.ts'
import { acrFor, acrTable, isAcrUnmet } from './judge-context.ts'

export function createSessionContext(
  { upstreams }: Pick<Config, 'upstreams'>,
  { choose }: Pick<UpstreamChooser, 'choose'>,
) {
  const all = Object.values(upstreams)
  return {
    forwarded: [...new Set(all.flatMap(({ context }) => context.forward))],
    acrNames: [...new Set(all.flatMap((upstream) => Object.keys(acrTable(upstream) ?? {})))],
    markers: MARKERS,

    /** Only where no person has to choose, and the settings allow it. */
    maySilently: (request: ChoiceRequest) => {
      const choice = choose(request)
      const upstream = choice.kind === 'upstream' ? upstreams[choice.name] : undefined
      return upstream?.kind === 'oidc' && upstream.context.prompt_none
    },

    /** A wish is worth one trip upstream; a demand is, and is refused where it can not be met. */
    isTooWeak: ({ params }: ChoiceRequest, identity: Identity, isFinal: boolean) => {
      const upstream = upstreams[identity.upstream]
      const asked = askedContext(params)
      const acrs = identity.acrs ?? []
      if (!upstream || asked.acr.length === 0) return false
      if (asked.acr.some((name) => acrs.includes(name))) return false
      return !isFinal || isAcrUnmet(upstream, asked, acrs)
    },

    acrFor: ({ params }: ChoiceRequest, { acrs = [] }: Identity) =>
      acrFor(askedContext(params), acrs),
  }
}
