// A44: how long a wrong secret takes does not tell how much of it is right. No time is judged here, only whether two kinds of
// wrong secrets, drawn at random one after the other, can be told apart by it (Welch's t-test).
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { secretMatcher } from './admin/admin-api.ts'
import { createLoginBinding } from './interaction/login-binding.ts'
import { createSecretJudge } from './provider/client-authentication/client-secrets.ts'
import { basic } from './test-support/app.ts'
import { useChain } from './test-support/use-chain.ts'

/** Beyond it two samples differ; the same distribution reaches it once in 150,000 runs. */
const DISTINCT = 4.5
/** Share of the slowest samples of each kind that is left out: interruptions, not the work itself. */
const CUT = 0.1

type Kind = 0 | 1

function welch(left: readonly number[], right: readonly number[]): number {
  const moments = [left, right].map((all) => {
    const kept = all.toSorted((one, other) => one - other).slice(0, all.length * (1 - CUT))
    const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length
    const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1)
    return { mean, error: variance / kept.length }
  })
  const [first, second] = moments as [(typeof moments)[0], (typeof moments)[0]]
  return (first.mean - second.mean) / Math.sqrt(first.error + second.error)
}

/** Kinds are drawn at random, so that whatever else the machine does meets both alike. */
async function tStatistic(samples: number, work: (kind: Kind) => unknown): Promise<number> {
  const times: [number[], number[]] = [[], []]
  for (let sample = 0; sample < samples; sample += 1) {
    const kind: Kind = Math.random() < 0.5 ? 0 : 1
    const startedAt = process.hrtime.bigint()
    await work(kind)
    times[kind].push(Number(process.hrtime.bigint() - startedAt))
  }
  return Math.abs(welch(...times))
}

const wrongAt = (secret: string, position: number) =>
  `${secret.slice(0, position)}${secret[position] === 'a' ? 'b' : 'a'}${secret.slice(position + 1)}`

describe('A44 timing of secret comparison (CVE-2024-52307)', () => {
  const on = useChain()

  it('the measure sees a comparison that stops at the first difference', async () => {
    const secret = 'x'.repeat(2000)
    const guesses = [wrongAt(secret, 0), wrongAt(secret, 1999)]
    const stopsEarly = (guess: string) => {
      for (let at = 0; at < secret.length; at += 1) if (secret.at(at) !== guess.at(at)) return false
      return true
    }
    expect(await tStatistic(4000, (kind) => stopsEarly(guesses[kind] as string))).toBeGreaterThan(
      DISTINCT,
    )
  })

  it('the signature of the login cookie', async () => {
    const uid = 'u'.repeat(43)
    const binding = createLoginBinding({
      keys: ['k'.repeat(43)],
      isHttps: false,
      resumeCookie: 'R',
      ttlSeconds: 600,
      now: Date.now,
    })
    const [cookie = ''] = binding.bind(uid, { clientId: 'client', flowId: 'flow' }, undefined)
    const pair = cookie.split(';', 1)[0] as string
    expect(binding.find(uid, pair)).toBeDefined()
    const signatureAt = pair.lastIndexOf('.') + 1
    const guesses = [wrongAt(pair, signatureAt), wrongAt(pair, pair.length - 2)]
    for (const guess of guesses) expect(binding.find(uid, guess)).toBeUndefined()
    const work = (kind: Kind) => binding.find(uid, guesses[kind])
    expect(await tStatistic(20_000, work)).toBeLessThan(DISTINCT)
  })

  it('the token of the admin API', async () => {
    const token = 't'.repeat(43)
    const matches = secretMatcher(token)
    const guesses = [wrongAt(token, 0), wrongAt(token, 42)]
    for (const guess of guesses) expect(matches(guess)).toBe(false)
    const work = (kind: Kind) => matches(guesses[kind] as string)
    expect(await tStatistic(20_000, work)).toBeLessThan(DISTINCT)
  })

  it('the hash of a client secret, of one client or the other, with one secret or two', () => {
    const given = Array.from({ length: 3 }, () => randomBytes(32).toString('base64url'))
    const [one = '', two = '', three = ''] = given
    const hashed = (text: string) => ({ sha256: createHash('sha256').update(text).digest('hex') })
    const clients = {
      single: { client_secret: one },
      both: { client_secrets: [two, three].map(hashed) },
    }
    const { matches } = createSecretJudge(clients, Date.now)
    const pairs: [name: string, first: [string, string], second: [string, string]][] = [
      ['position', ['single', wrongAt(one, 0)], ['single', wrongAt(one, 42)]],
      ['one or two', ['single', wrongAt(one, 0)], ['both', wrongAt(one, 0)]],
      ['known or not', ['both', wrongAt(one, 0)], ['nope', wrongAt(one, 0)]],
    ]
    return pairs.reduce(async (before, [name, ...guesses]) => {
      await before
      const work = (kind: Kind) => matches(...guesses[kind])
      expect(await tStatistic(20_000, work), name).toBeLessThan(DISTINCT)
    }, Promise.resolve())
  })

  it('the secret of a client at the token endpoint: wrong at the start or at the end, and of a client that is not there', async () => {
    const secret = on.chain.config.clients['client']?.client_secret ?? ''
    const known: [string, string] = ['client', wrongAt(secret, 0)]
    const others: [string, string][] = [
      ['client', wrongAt(secret, secret.length - 1)],
      ['nobody', wrongAt(secret, 0)],
    ]
    for (const other of others) {
      const guesses = [known, other] as const
      const ask = async (kind: Kind) => {
        const headers = { authorization: basic(...guesses[kind]) }
        const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'x' })
        const answer = await fetch(`${on.chain.url}/oauth2/token`, {
          method: 'POST',
          headers,
          body,
        })
        expect(answer.status).toBe(401)
        await answer.text()
      }
      expect(await tStatistic(1500, ask), other[0]).toBeLessThan(DISTINCT)
    }
  }, 60_000)
})
