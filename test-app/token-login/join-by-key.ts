// Work that is asked for several times at once is done once.

/** Who asks with a key that is worked on gets that work's result. */
export function joinByKey<Input, Result>(
  work: (input: Input) => Promise<Result>,
): (key: string, input: Input) => Promise<Result> {
  const running = new Map<string, Promise<Result>>()
  return (key, input) => {
    const result = running.get(key) ?? work(input).finally(() => running.delete(key))
    running.set(key, result)
    return result
  }
}
