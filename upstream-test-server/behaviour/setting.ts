// A group of switches with a strict default, changed in part and set back as a whole.

export interface Setting<Values extends object> {
  current(): Readonly<Values>
  change(values: Partial<Values>): void
  reset(): void
}

export function createSetting<Values extends object>(strict: Readonly<Values>): Setting<Values> {
  let values = strict
  return {
    current: () => values,
    change: (changed) => void (values = { ...values, ...changed }),
    reset: () => void (values = strict),
  }
}
