// Work that is asked for several times at once, or again just after, is done once.

/** Who asks with a key that is worked on gets that work's result, and so does who asks within `lateMs` after it succeeded. */
export function joinByKey<Input, Result>(
  work: (input: Input) => Promise<Result>,
  lateMs = 0,
): (key: string, input: Input) => Promise<Result> {
  const running = new Map<string, Promise<Result>>()
  const forget = (key: string): boolean => running.delete(key)
  return (key, input) => {
    const earlier = running.get(key)
    if (earlier) return earlier
    const result = work(input)
    running.set(key, result)
    result.then(
      () => (lateMs > 0 ? setTimeout(forget, lateMs, key).unref() : forget(key)),
      () => forget(key),
    )
    return result
  }
}
