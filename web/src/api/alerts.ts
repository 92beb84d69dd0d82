// Rules, alerts, silences and messages, and what can be done about them.
import { get, post } from "./client";
import type { Alerts, AlertSilence, AlertTests, EndedSilence } from "./types.gen";

export const listAlerts = () => get<Alerts>("/api/alerts");

export const silence = (matchers: string[], duration: string, comment: string) =>
  post<AlertSilence>("/api/alerts/silences", { matchers, duration, comment });

export const endSilence = (id: string) =>
  post<EndedSilence>(`/api/alerts/silences/${encodeURIComponent(id)}/end`, {});

export const testChannel = (name: string) => post<AlertTests>("/api/alerts/test", { name });
