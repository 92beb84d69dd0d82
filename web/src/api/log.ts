// The log: topics, their records, and the groups that read them.
import { get } from "./client";
import type { GroupDetail, Groups, TopicDetail, TopicInfo, TopicRecords, Topics } from "./types.gen";

export async function listTopics(): Promise<TopicInfo[]> {
  return (await get<Topics>("/api/topics")).topics;
}

export function readTopic(name: string): Promise<TopicDetail> {
  return get<TopicDetail>(`/api/topics/${encodeURIComponent(name)}`);
}

/** The newest records, or those from `offset` on. */
export function readRecords(name: string, partition: number, offset: string, limit: number): Promise<TopicRecords> {
  return get<TopicRecords>(`/api/topics/${encodeURIComponent(name)}/records`, { partition, offset, limit });
}

export function listGroups(): Promise<Groups> {
  return get<Groups>("/api/groups");
}

export function readGroup(name: string): Promise<GroupDetail> {
  return get<GroupDetail>(`/api/groups/${encodeURIComponent(name)}`);
}
