// The cookie that carries the refresh token beside the body.
import type { Request, Response } from 'express'

const name = 'TEST_AUTH_SERVER_REFRESH'

export interface RefreshCookie {
  read(req: Request): string | undefined
  set(res: Response, refreshToken: string, ttlSeconds: number): void
  clear(res: Response): void
}

export function createRefreshCookie({ secure }: { secure: boolean }): RefreshCookie {
  const rules = { httpOnly: true, sameSite: 'strict', secure, path: '/api/auth' } as const
  return {
    read(req) {
      const pairs = (req.headers.cookie ?? '').split(';').map((pair) => pair.trim())
      return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
    },
    set: (res, refreshToken, ttlSeconds) =>
      void res.cookie(name, refreshToken, { ...rules, maxAge: ttlSeconds * 1000 }),
    clear: (res) => void res.clearCookie(name, rules),
  }
}
