/// <reference types="@webgpu/types" />
/** What kind of device this is, as far as the speed of backends depends on it. Said to this page alone, never sent. */

/** Milliseconds in which a driver must have said what it is. */
const DEADLINE = 3000;

/**
 * A text that changes where another GPU, driver or number of cores may change which backend is the fastest: what the
 * WebGPU adapter says of itself, and the cores. No user agent, nothing that tells visitors apart.
 */
export async function deviceHere(): Promise<string> {
  const { hardwareConcurrency: cores } = (globalThis.navigator ?? {}) as { hardwareConcurrency?: number };
  return JSON.stringify({ cores, webgpu: await adapterHere() });
}

async function adapterHere(): Promise<object | string> {
  try {
    const { gpu } = (globalThis.navigator ?? {}) as { gpu?: GPU };
    if (!gpu) return 'none';
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silent = new Promise<'silent'>((resolve) => {
      timer = setTimeout(resolve, DEADLINE, 'silent');
    });
    const adapter = await Promise.race([gpu.requestAdapter({ powerPreference: 'high-performance' }), silent]);
    clearTimeout(timer);
    if (!adapter || adapter === 'silent') return adapter ?? 'none';
    const { vendor, architecture } = adapter.info;
    const { maxBufferSize, maxComputeInvocationsPerWorkgroup } = adapter.limits;
    return { vendor, architecture, maxBufferSize, maxComputeInvocationsPerWorkgroup };
  } catch {
    return 'none';
  }
}
