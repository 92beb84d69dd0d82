// An answer that is asked for again and again while its page is open and in view.
export class Polled<T> {
  value = $state.raw<T | null>(null);
  failure = $state("");
  private round = $state(0);

  /** Begins in a component. When something reactive that `ask` reads changes, it asks at once. */
  constructor(ask: () => Promise<T>, everyMs = 2000) {
    $effect(() => {
      void this.round;
      let over = false;
      let timer = 0;
      let cost = 0;
      const go = async () => {
        const began = performance.now();
        try {
          const value = await ask();
          if (over) return;
          this.value = value;
          this.failure = "";
        } catch (problem) {
          if (over) return;
          this.failure = (problem as Error).message;
        }
        cost = performance.now() - began;
        wait();
      };
      // What is slow to answer is asked for less often.
      const wait = () => {
        timer = setTimeout(() => (document.hidden ? wait() : void go()), Math.max(everyMs, 5 * cost));
      };
      void go();
      return () => {
        over = true;
        clearTimeout(timer);
      };
    });
  }

  /** Asks now: something was done that it will show. */
  again() {
    this.round += 1;
  }
}
