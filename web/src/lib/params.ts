// A form of a DAG's params: what to ask for each (from its JSON Schema), and the configuration that the answers make.
export interface Param {
  value?: unknown;
  description?: string | null;
  schema?: Record<string, unknown>;
}
export type FieldKind =
  | "text" | "multiline" | "number" | "flag" | "choice" | "choices" | "lines" | "json" | "date" | "time" | "datetime" | "fixed";
export interface Field {
  name: string;
  kind: FieldKind;
  title: string;
  help: string;
  section: string;
  choices: { value: unknown; text: string }[];
  suggestions: string[];
  /** An empty answer means null. */
  nullable: boolean;
  whole: boolean;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  /** What the file gives; undefined: it must be given. */
  given: unknown;
}
/** What was typed, or chosen, for each field. */
export type Answers = Record<string, string | boolean | string[]>;

const text = (value: unknown) => (typeof value === "string" ? value : "");
const number = (value: unknown) => (typeof value === "number" ? value : undefined);
const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : []);

function kindOf(schema: Record<string, unknown>, types: string[], given: unknown): FieldKind {
  const type = types.find((one) => one !== "null") ?? guessed(given);
  if ("const" in schema) return "fixed";
  if (list(schema.enum).length) return "choice";
  if (type === "boolean") return "flag";
  if (type === "integer" || type === "number") return "number";
  if (type === "array") {
    if (list(schema.examples).length) return "choices";
    const items = schema.items as Record<string, unknown> | undefined;
    const strings = items ? items.type === "string" : list(given).every((one) => typeof one === "string");
    return strings ? "lines" : "json";
  }
  if (type === "object" || types.filter((one) => one !== "null").length > 1) return "json";
  if (type !== "string") return "json";
  if (schema.format === "date") return "date";
  if (schema.format === "date-time") return "datetime";
  if (schema.format === "time") return "time";
  return schema.format === "multiline" || text(given).includes("\n") ? "multiline" : "text";
}

/** The type of a value that no schema tells of. */
function guessed(value: unknown): string {
  if (value === null || value === undefined) return "any";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

export function fieldsOf(params: Record<string, Param | unknown>): Field[] {
  return Object.entries(params).map(([name, one]) => {
    const isParam = typeof one === "object" && one !== null && "schema" in one;
    const param: Param = isParam ? (one as Param) : { value: one };
    const schema = param.schema ?? {};
    const given = param.value;
    const types = typeof schema.type === "string" ? [schema.type] : list(schema.type).map(String);
    const display = (schema.values_display ?? {}) as Record<string, string>;
    const kind = kindOf(schema, types, given);
    const values = kind === "choice" ? list(schema.enum) : kind === "choices" ? list(schema.examples) : [];
    return {
      name, kind, given,
      title: text(schema.title) || name,
      help: text(param.description) || text(schema.description) || text(schema.description_md),
      section: text(schema.section),
      choices: values.map((value) => ({ value, text: display[String(value)] ?? (value === null ? "none" : String(value)) })),
      suggestions: kind === "text" ? list(schema.examples).map(String) : [],
      nullable: types.includes("null") || given === null,
      whole: types.includes("integer"),
      minimum: number(schema.minimum), maximum: number(schema.maximum),
      minLength: number(schema.minLength), maxLength: number(schema.maxLength),
      pattern: text(schema.pattern) || undefined,
    };
  });
}

/** What a field shows for a value. */
export function answerOf(field: Field, value: unknown): string | boolean | string[] {
  switch (field.kind) {
    case "flag": return value === true;
    case "choice": return String(Math.max(0, field.choices.findIndex((choice) => same(choice.value, value))));
    case "choices": return field.choices.flatMap((choice, i) => (list(value).some((one) => same(one, choice.value)) ? [String(i)] : []));
    case "lines": return list(value).join("\n");
    case "json": return value === undefined ? "" : JSON.stringify(value, null, 2);
    case "fixed": return JSON.stringify(value);
    case "datetime": return text(value).replace(/(:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)$/, "$1").slice(0, 19);
    default: return value === null || value === undefined ? "" : String(value);
  }
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

export class Problem extends Error {}

/** The value that an answer means; a Problem says what is wrong with it. */
export function valueOf(field: Field, answer: string | boolean | string[]): unknown {
  if (field.kind === "fixed") return field.given;
  if (field.kind === "flag") return answer === true;
  if (field.kind === "choices") return (answer as string[]).map((i) => field.choices[Number(i)]?.value);
  const typed = String(answer);
  if (field.kind === "choice") return field.choices[Number(typed)]?.value;
  if (field.kind === "lines") return typed === "" && field.nullable ? null : typed.split("\n").filter((line) => line !== "");
  if (typed === "" && field.nullable) return null;
  switch (field.kind) {
    case "number": {
      const value = Number(typed);
      if (typed.trim() === "" || Number.isNaN(value)) throw new Problem("give a number");
      if (field.whole && !Number.isInteger(value)) throw new Problem("give a whole number");
      if (field.minimum !== undefined && value < field.minimum) throw new Problem(`at least ${field.minimum}`);
      if (field.maximum !== undefined && value > field.maximum) throw new Problem(`at most ${field.maximum}`);
      return value;
    }
    case "json":
      if (typed.trim() === "" && field.given === undefined) throw new Problem("give a value");
      try {
        return typed.trim() === "" ? null : (JSON.parse(typed) as unknown);
      } catch {
        throw new Problem("this is no JSON");
      }
    case "date":
    case "time":
    case "datetime":
      if (typed === "") throw new Problem("give a date or time");
      return field.kind === "datetime" ? `${typed.length === 16 ? `${typed}:00` : typed}Z` : typed;
    default:
      if (field.minLength !== undefined && typed.length < field.minLength) throw new Problem(`at least ${field.minLength} characters`);
      if (field.maxLength !== undefined && typed.length > field.maxLength) throw new Problem(`at most ${field.maxLength} characters`);
      if (field.pattern && !new RegExp(field.pattern, "u").test(typed)) throw new Problem(`it must match ${field.pattern}`);
      if (typed === "" && field.given === undefined) throw new Problem("give a text");
      return typed;
  }
}

export interface Filled {
  conf: Record<string, unknown>;
  /** By field. */
  problems: Record<string, string>;
}

/** The whole configuration; `beside` is what no field asks for. */
export function confOf(fields: Field[], answers: Answers, beside: Record<string, unknown>): Filled {
  const filled: Filled = { conf: {}, problems: {} };
  for (const field of fields) {
    try {
      filled.conf[field.name] = valueOf(field, answers[field.name] ?? "");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      filled.problems[field.name] = problem.message;
    }
  }
  Object.assign(filled.conf, beside);
  return filled;
}

/** Answers that make `conf`, and what of it no field asks for. */
export function answersOf(fields: Field[], conf: Record<string, unknown>): { answers: Answers; beside: Record<string, unknown> } {
  const names = new Set(fields.map((field) => field.name));
  const answers = Object.fromEntries(
    fields.map((field) => [field.name, answerOf(field, field.name in conf ? conf[field.name] : field.given)]));
  return { answers, beside: Object.fromEntries(Object.entries(conf).filter(([name]) => !names.has(name))) };
}
