// The time, for what counts up while it goes on.
import { createSubscriber } from "svelte/reactivity";

class Now {
  private subscribe = createSubscriber((update) => {
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  });

  get ms(): number {
    this.subscribe();
    return Date.now();
  }
}

export const now = new Now();
