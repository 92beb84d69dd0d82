// The schema registry: subjects, their versions, the try-out.
import { get, post } from "./client";
import type { SchemaProposal, SchemaText, SchemaVerdict, SubjectDetail, Subjects } from "./types.gen";

const path = (subject: string, ...more: (string | number)[]) =>
  ["/api/schemas", ...[subject, ...more].map((part) => encodeURIComponent(part))].join("/");

export function listSubjects(search: string, after = ""): Promise<Subjects> {
  return get<Subjects>("/api/schemas", { search, after });
}

/** Those that a topic's keys and values use. */
export function subjectsOfTopic(topic: string): Promise<Subjects> {
  return get<Subjects>("/api/schemas", { topic });
}

export function readSubject(name: string): Promise<SubjectDetail> {
  return get<SubjectDetail>(path(name));
}

export function readSchema(subject: string, version: number | "latest"): Promise<SchemaText> {
  return get<SchemaText>(path(subject, version));
}

/** Asks only; nothing is registered. */
export function checkSchema(subject: string, proposal: SchemaProposal): Promise<SchemaVerdict> {
  return post<SchemaVerdict>(path(subject, "check"), proposal);
}

export function registerSchema(subject: string, proposal: SchemaProposal): Promise<SchemaText> {
  return post<SchemaText>(path(subject, "register"), proposal);
}
