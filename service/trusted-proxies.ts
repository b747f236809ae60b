// Which peers are our own proxies, by address or CIDR range.
import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv4 } from 'node:net'

/** True for addresses whose forwarded headers are believed. */
export type IsTrusted = (address: string | undefined) => boolean

const MAPPED_IPV4 = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i

/** `::ffff:10.0.0.1` → `10.0.0.1`: how an IPv4 peer looks on a socket that listens on `::`. */
export const plainAddress = (address: string) =>
  address.replace(MAPPED_IPV4, '').replace(/%.*$/s, '')

/** Of whoever made the connection; '' once it is gone. */
export const remoteAddress = ({ socket }: IncomingMessage): string =>
  plainAddress(socket.remoteAddress ?? '')

const family = (address: string) => (isIPv4(address) ? 'ipv4' : 'ipv6')

function addEntry(blocks: BlockList, entry: string): void {
  const [address = '', bits, ...rest] = entry.trim().split('/')
  const plain = plainAddress(address)
  const most = isIPv4(plain) ? 32 : 128
  const valid =
    isIP(plain) !== 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
  if (!valid)
    throw new RangeError(
      `trusted_proxies: ${JSON.stringify(entry)} is neither an address nor a CIDR range`,
    )
  if (bits === undefined) blocks.addAddress(plain, family(plain))
  else blocks.addSubnet(plain, Number(bits), family(plain))
}

/** @param list addresses or CIDR ranges, IPv4 or IPv6. @throws {RangeError} naming the entry that is neither */
export function trustedProxies(list: readonly string[]): IsTrusted {
  const blocks = new BlockList()
  for (const entry of list) addEntry(blocks, entry)
  return (address) => {
    const plain = plainAddress(address ?? '')
    return isIP(plain) !== 0 && blocks.check(plain, family(plain))
  }
}
