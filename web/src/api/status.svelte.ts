// The live status: one event stream for the whole page, with the rates of the last minutes.
import { extend, type History } from "../lib/history";
import type { Status } from "./types.gen";

class Live {
  status = $state.raw<Status | null>(null);
  history = $state.raw<History>({});
  connected = $state(false);
  /** The stream failed and no status has ever come. */
  failed = $state(false);

  open() {
    const stream = new EventSource("/api/events");
    stream.addEventListener("status", (event) => {
      this.status = JSON.parse((event as MessageEvent<string>).data) as Status;
      this.connected = true;
      this.failed = false;
    });
    stream.onerror = () => {
      this.connected = false;
      this.failed = this.status === null;
      if (stream.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 2000);
    };
    const sampling = setInterval(() => {
      if (stream.readyState === EventSource.CLOSED) clearInterval(sampling);
      else if (this.status && this.connected) this.history = extend(this.history, this.status.hops);
    }, 1000);
  }
}

export const live = new Live();
