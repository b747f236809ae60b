// Rows for a terminal, their columns below each other.

/** One line a row, two spaces between columns; a column is padded to its longest cell, or to `widest` characters at most. */
export function alignedRows(rows: readonly string[][], widest = Infinity): string {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_none, column) =>
    Math.min(widest, Math.max(...rows.map((row) => row[column]?.length ?? 0))),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
