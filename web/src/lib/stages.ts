// The hops as columns of the flow: rejected hangs below decoded, where records leave the stream.
import type { Hop, HopKind } from "../api/types.gen";

export interface Stage {
  kind: HopKind;
  title: string;
  hops: Hop[];
}

const ORDER: [HopKind, string][] = [
  ["fetched", "Fetched"],
  ["staged", "Staged"],
  ["appended", "Appended"],
  ["decoded", "Decoded"],
  ["bronze", "Bronze"],
  ["silver", "Silver"],
  ["gold", "Gold"],
  ["lake", "Lake"],
  ["served", "Served"],
];

export function stages(hops: Hop[]): Stage[] {
  return ORDER.map(([kind, title]) => ({
    kind,
    title,
    hops: hops.filter((hop) => hop.kind === kind || (kind === "decoded" && hop.kind === "rejected")),
  })).filter((stage) => stage.hops.length > 0);
}

/** The first hop that is empty or stopped; where to look when nothing comes out. */
export function firstTrouble(hops: Hop[]): Hop | undefined {
  return hops.find((hop) => hop.state === "error") ?? hops.find((hop) => hop.state === "empty");
}
