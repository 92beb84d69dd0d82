// Two texts side by side, line by line.
export interface DiffRow {
  kind: "same" | "changed" | "removed" | "added";
  /** Line numbers count from 1; a side without a line has neither. */
  left?: { number: number; text: string };
  right?: { number: number; text: string };
}

/** Lines of one text times lines of the other that are compared one by one. */
const MOST_COMPARED = 4e6;

/** Pairs of lines that are alike and keep their order, as many as there can be. */
function alike(a: string[], b: string[]): [number, number][] {
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; --i)
    for (let j = b.length - 1; j >= 0; --j)
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}

/** The middle that two texts do not share is compared; texts that are too long there differ as a whole. */
export function sideBySide(before: string, after: string): DiffRow[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  const room = Math.min(a.length, b.length) - head;
  while (tail < room && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const middleA = a.slice(head, a.length - tail);
  const middleB = b.slice(head, b.length - tail);
  const inMiddle = middleA.length * middleB.length <= MOST_COMPARED ? alike(middleA, middleB) : [];
  const rows: DiffRow[] = [];
  let i = 0;
  let j = 0;
  const left = () => ({ number: i + 1, text: a[i++] ?? "" });
  const right = () => ({ number: j + 1, text: b[j++] ?? "" });
  const upTo = (endA: number, endB: number) => {
    while (i < endA && j < endB) rows.push({ kind: "changed", left: left(), right: right() });
    while (i < endA) rows.push({ kind: "removed", left: left() });
    while (j < endB) rows.push({ kind: "added", right: right() });
  };
  const same = () => rows.push({ kind: "same", left: left(), right: right() });
  while (i < head) same();
  for (const [inA, inB] of inMiddle) {
    upTo(head + inA, head + inB);
    same();
  }
  upTo(a.length - tail, b.length - tail);
  while (i < a.length) same();
  return rows;
}
