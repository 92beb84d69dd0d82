// Which topics and groups a list shows, and a record's bytes as people read them.
import type { DecodedBytes, GroupMember, GroupOffset, LagSample, RecordBytes, TopicInfo } from "../api/types.gen";
import { duration, hexGroups } from "./format";

export const PAGE = 100;
export type TopicColumn = "name" | "partitions" | "records" | "bytes" | "records_per_s" | "bytes_per_s";

/** Numbers the greatest first, names from a to z; `back` turns it around. */
export function sortTopics(topics: TopicInfo[], by: TopicColumn, back: boolean): TopicInfo[] {
  const names = (a: TopicInfo, b: TopicInfo) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const order = (a: TopicInfo, b: TopicInfo) => (by === "name" ? names(a, b) : b[by] - a[by] || names(a, b));
  return topics.toSorted((a, b) => (back ? -order(a, b) : order(a, b)));
}

/** What holds the words, in any case. */
export function matching<T extends { name: string }>(all: T[], words: string): T[] {
  const wanted = words.toLowerCase();
  return all.filter((one) => one.name.toLowerCase().includes(wanted));
}

/** JSON indented, other text as it is, bytes as hex; "null" for nothing. */
export function readable(bytes: RecordBytes | undefined): string {
  if (!bytes) return "null";
  if (isDecoded(bytes)) return readableText(bytes.decoded.json);
  return bytes.is_text ? readableText(bytes.text) : hexGroups(bytes.hex);
}

/** JSON indented, any other text as it is. */
export function readableText(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    JSON.parse(text);
    return indented(text);
  } catch {
    return text;
  }
}

/** Whether a registry's schema made a value of the bytes. */
export function isDecoded(bytes: RecordBytes): bytes is RecordBytes & { decoded: DecodedBytes } {
  return bytes.decoded !== undefined && bytes.decoded.why === "";
}

/** Token by token, so that numbers beyond 2^53 and names that come twice stay as they were sent. */
function indented(json: string): string {
  const tokens = json.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  const opens = (token: string | undefined) => token === "{" || token === "[";
  const closes = (token: string | undefined) => token === "}" || token === "]";
  let out = "";
  let depth = 0;
  const line = () => "\n" + "  ".repeat(depth);
  tokens.forEach((token, i) => {
    if (opens(token)) {
      depth += 1;
      out += closes(tokens[i + 1]) ? token : token + line();
    } else if (closes(token)) {
      depth -= 1;
      out += opens(tokens[i - 1]) ? token : line() + token;
    } else {
      out += token === "," ? token + line() : token === ":" ? ": " : token;
    }
  });
  return out;
}

/** One line of a value, for a row that can be opened. */
export function brief(bytes: RecordBytes | undefined): string {
  if (bytes && isDecoded(bytes)) return bytes.decoded.json.slice(0, 200);
  return !bytes || !bytes.is_text ? readable(bytes) : bytes.text.replace(/\s+/g, " ").slice(0, 200);
}

/** How the lag moved, in words. */
export function lagStory(history: LagSample[]): string {
  const first = history[0];
  const last = history.at(-1);
  if (!first || !last || history.length < 2) return "The lag is noted every 5 seconds; its line begins soon.";
  const span = duration((last.time_ms - first.time_ms) / 1000);
  const most = Math.max(...history.map((sample) => sample.lag));
  if (most === 0) return `No lag in the last ${span}.`;
  const moved = last.lag > first.lag ? "grew" : last.lag < first.lag ? "shrank" : "is again what it was";
  const how = moved === "is again what it was" ? `${moved}, ${last.lag}` : `${moved} from ${first.lag} to ${last.lag}`;
  return `In the last ${span} the lag ${how}; at most it was ${most}.`;
}

const MOST_OPEN = 200;
export interface OpenRecords {
  place: string;
  state: string;
  times: number;
  client: string;
}

/** What a share group's members have, or gave back: the first of it, and how much more there is. */
export function openRecords(offsets: GroupOffset[], members: GroupMember[]): { rows: OpenRecords[]; more: number } {
  const clients = new Map(members.map((member) => [member.id, member.client_id]));
  const all = offsets.flatMap((one) =>
    one.in_flight.map((part) => ({
      place: `${one.topic}-${one.partition}@${part.first}${part.last > part.first ? ` to ${part.last}` : ""}`,
      state: part.state,
      times: part.delivery_count,
      client: clients.get(part.member) ?? part.member,
    })),
  );
  return { rows: all.slice(0, MOST_OPEN), more: Math.max(0, all.length - MOST_OPEN) };
}
