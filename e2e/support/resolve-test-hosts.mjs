// Preloaded into the processes of https runs: names under .test are this machine, as --host-resolver-rules says to Chromium.
import dns from 'node:dns'

const lookup = dns.lookup
const promised = dns.promises.lookup
const addressOf = (host) => (host.endsWith('.test') ? '127.0.0.1' : host)

dns.lookup = (host, ...rest) => lookup(addressOf(host), ...rest)
dns.promises.lookup = (host, ...rest) => promised(addressOf(host), ...rest)
