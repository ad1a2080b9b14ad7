/// <reference types="@webgpu/types" />
/** Describes the device as far as the speed of backends depends on it. The text stays in the page and is never sent. */

/** Milliseconds in which the driver must answer. */
const DEADLINE = 3000;

/**
 * A text of the WebGPU adapter's properties and the number of cores. It changes if another backend may be the fastest. It holds no
 * user agent and nothing that identifies visitors.
 */
export async function deviceHere(): Promise<string> {
  const { hardwareConcurrency: cores } = (globalThis.navigator ?? {}) as { hardwareConcurrency?: number };
  return JSON.stringify({ cores, webgpu: await adapterHere() });
}

/** Whether there is a GPU that WebGPU can use. */
export const hasGpu = async (): Promise<boolean> => typeof (await adapterHere()) === 'object';

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
