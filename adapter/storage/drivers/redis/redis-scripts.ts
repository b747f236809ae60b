// The Lua scripts of the Redis driver: what no single command of Redis 6.2 does at once. Each touches its one key, and
// compares times with the `now` it is given: the adapter's clock is the truth, not the server's.
import { hash } from 'node:crypto'

export interface Script {
  lua: string
  /** Redis names a script by its SHA-1: https://redis.io/docs/latest/commands/evalsha/ */
  sha1: string
}

function script(lua: string): Script {
  return { lua, sha1: hash('sha1', lua) }
}

const READ = `
local text = redis.call('GET', KEYS[1])
local version, expiry, consumed, json
if text then version, expiry, consumed, json = string.match(text, '^(%d+)|(%d+)|(%d*)|(.*)$') end
local live = text and tonumber(expiry) > tonumber(ARGV[1])
`

export const scripts = {
  /** now, record, ttl ms */
  insert: script(`${READ}
if live then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`),
  /** now */
  consume: script(`${READ}
if not live or consumed ~= '' then return 0 end
redis.call('SET', KEYS[1], version .. '|' .. expiry .. '|' .. ARGV[1] .. '|' .. json, 'KEEPTTL')
return 1`),
  /** now, expected version, json, new expiry or '', ttl ms or '' */
  update: script(`${READ}
if not live or version ~= ARGV[2] then return 0 end
local changed = function(e) return string.format('%d', version + 1) .. '|' .. e .. '|' .. consumed .. '|' .. ARGV[3] end
if ARGV[4] == '' then redis.call('SET', KEYS[1], changed(expiry), 'KEEPTTL')
else redis.call('SET', KEYS[1], changed(ARGV[4]), 'PX', ARGV[5]) end
return 1`),
  /** now, member, expiry, ttl ms. Sorted by expiry, so that members which are over leave with the next add. */
  add: script(`
redis.call('ZADD', KEYS[1], 'GT', ARGV[3], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return 1`),
  /** now, owner, expiry, ttl ms. A lease is one string: expiry|owner. */
  lease: script(`
local text = redis.call('GET', KEYS[1])
if text then
  local expiry, owner = string.match(text, '^(%d+)|(.*)$')
  if owner ~= ARGV[2] and tonumber(expiry) > tonumber(ARGV[1]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[3] .. '|' .. ARGV[2], 'PX', ARGV[4])
return 1`),
  /** What the server does when its memory is full, as `maxmemory_policy:…` among other lines. */
  memory: script(`return redis.call('INFO', 'memory')`),
  /** owner */
  release: script(`
local text = redis.call('GET', KEYS[1])
if text and string.match(text, '^%d+|(.*)$') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`),
} as const
