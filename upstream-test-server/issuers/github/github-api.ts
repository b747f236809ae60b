// GET /user and /user/emails, with the access token. An address that is private is not in the profile, only on the list.
import { Router } from 'express'
import type { Request, RequestHandler, Response } from 'express'
import type { User } from '../../people/users.ts'
import type { GithubParts } from './github-state.ts'

const emailScopes = ['user', 'user:email']

const isPrivate = ({ attributes }: User) => attributes['emailIsPrivate'] === true

const profileOf = (user: User) => ({
  login: user.username,
  id: Number(user.sub),
  type: 'User',
  site_admin: user.roles.includes('admin'),
  name: user.name,
  company: user.attributes['company'] ?? null,
  email: isPrivate(user) ? null : (user.email ?? null),
})

function addressesOf(user: User) {
  const { sub, username, email, emailVerified: verified } = user
  const unreachable = `${sub}+${username}@users.noreply.github-like.example`
  const visibility = isPrivate(user) ? 'private' : 'public'
  const own = email === undefined ? [] : [{ email, primary: true, verified, visibility }]
  return [...own, { email: unreachable, primary: false, verified: true, visibility: null }]
}

type Answer = (res: Response, user: User, scopes: readonly string[]) => void

// Without a User-Agent every request is refused: https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#user-agent
function withToken({ tokens, users, scenario }: GithubParts, answer: Answer): RequestHandler {
  return (req: Request, res: Response) => {
    if (!req.headers['user-agent'])
      return void res.status(403).type('text').send('Request forbidden: no User-Agent header')
    const [, token = ''] = /^(?:Bearer|token) (\S+)$/i.exec(req.headers.authorization ?? '') ?? []
    const known = tokens.get(token)
    const user = known && scenario.people.able(users.find(known.sub))
    if (!user) return void res.status(401).json({ message: 'Bad credentials' })
    res.set({ 'X-OAuth-Scopes': known.scopes.join(', '), 'Cache-Control': 'private, no-store' })
    answer(res, user, known.scopes)
  }
}

export function githubApiRoutes(parts: GithubParts): Router {
  const router = Router()
  const showProfile: Answer = (res, user) => void res.json(profileOf(user))
  const showAddresses: Answer = (res, user, scopes) =>
    emailScopes.some((scope) => scopes.includes(scope))
      ? void res.json(addressesOf(user))
      : void res.status(404).json({ message: 'Not Found' })
  router.get('/user', withToken(parts, showProfile))
  router.get('/user/emails', withToken(parts, showAddresses))
  return router
}
