/** Runs in a page before its scripts: counts in `readies` how often its workers have said that they are ready. */
export function countReady(): void {
  const page = globalThis as unknown as { readies: number };
  page.readies = 0;
  globalThis.Worker = class extends Worker {
    constructor(...call: ConstructorParameters<typeof Worker>) {
      super(...call);
      this.addEventListener('message', ({ data }) => {
        if (data.ready) page.readies++;
      });
    }
  };
}
