// Tells those who hold something open for a sign-in (a socket) that it is over.

export interface LoginEnds {
  /** The sign-in of this key (`Principal.loginKey`) is over. */
  ended(loginKey: string): void
  onEnd(listener: (loginKey: string) => void): void
}

export function createLoginEnds(): LoginEnds {
  const listeners = new Set<(loginKey: string) => void>()
  return {
    ended: (loginKey) => listeners.forEach((listener) => listener(loginKey)),
    onEnd: (listener) => void listeners.add(listener),
  }
}
