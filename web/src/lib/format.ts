// Numbers, bytes, durations and cells as people read them.
const whole = new Intl.NumberFormat("en");

export function count(n: number): string {
  if (Math.abs(n) < 1e6) return whole.format(n);
  const [unit, size] = Math.abs(n) < 1e9 ? ["M", 1e6] : ["G", 1e9];
  return `${(n / Number(size)).toFixed(2)} ${unit}`;
}

export function rate(perSecond: number): string {
  if (perSecond >= 10 || perSecond === 0) return `${count(Math.round(perSecond))}/s`;
  return `${perSecond.toFixed(1)}/s`;
}

export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000;
    i += 1;
  }
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

export function duration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

export function time(ms: number): string {
  return ms ? new Date(ms).toISOString().slice(0, 19).replace("T", " ") : "";
}

export function cell(value: unknown): string {
  if (value === null || value === undefined) return "null";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Hex in groups of two bytes, as hexdump writes it. */
export function hexGroups(hex: string): string {
  return (hex.match(/.{1,4}/g) ?? []).join(" ");
}
