// The last minutes of each hop's rate, kept by the page from the moment it was opened.
import type { Hop } from "../api/types.gen";

export const KEPT = 240;

export type History = Record<string, number[]>;

/** The history with one more sample a hop; hops that are gone are forgotten. */
export function extend(history: History, hops: Hop[]): History {
  return Object.fromEntries(
    hops.map((hop) => [hop.id, [...(history[hop.id] ?? []), hop.rate_per_s].slice(-KEPT)]),
  );
}

/** Points of a line over `width` × `height`, newest at the right edge; the ceiling is the greatest
 * sample. Nothing when all are zero. */
export function points(samples: number[], width: number, height: number): string {
  if (samples.length < 2 || samples.every((sample) => sample === 0)) return "";
  const top = Math.max(...samples) * 1.15;
  const step = width / (Math.max(samples.length, KEPT / 10) - 1);
  const first = width - (samples.length - 1) * step;
  return samples
    .map((sample, i) => `${(first + i * step).toFixed(1)},${(height - (sample / top) * height).toFixed(1)}`)
    .join(" ");
}
