// Rules of the choice between upstreams: names that exist, and no e-mail domain that leads to two places.
import type { Config } from '../schema.ts'
import { didYouMean } from '../source/nearest-name.ts'
import type { SettingFault } from './schema-faults.ts'

export function choiceFaults(config: Config): SettingFault[] {
  return [...unknownNames(config), ...sharedDomains(config)]
}

function unknownNames({ clients, upstreams }: Config): SettingFault[] {
  return Object.entries(clients).flatMap(([id, client]) =>
    (client.upstreams ?? []).flatMap((name, index) => {
      if (Object.hasOwn(upstreams, name)) return []
      const hint = didYouMean(name, Object.keys(upstreams))
      const message = `There is no upstream of this name${hint}`
      return [{ path: ['clients', id, 'upstreams', index], message }]
    }),
  )
}

function sharedDomains({ upstreams }: Config): SettingFault[] {
  const owners = new Map<string, string>()
  return Object.entries(upstreams).flatMap(([name, { domains }]) =>
    domains.flatMap((domain, index) => {
      const owner = owners.get(domain) ?? name
      owners.set(domain, owner)
      const message = `This domain leads to "${owner}" already`
      return owner === name ? [] : [{ path: ['upstreams', name, 'domains', index], message }]
    }),
  )
}
