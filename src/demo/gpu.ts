/**
 * Keeps what computes on a GPU within reach, in the page and in its workers: the library keeps its devices and contexts to itself, so
 * they are noted as the browser hands them out.
 */

/** @returns Takes all of them away, as a driver that crashes does, and tells how many there were. */
export function watchGpu(): () => number {
  const devices: WeakRef<GPUDevice>[] = [];
  const contexts: WeakRef<WebGL2RenderingContext>[] = [];

  if ('GPUAdapter' in globalThis) {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
      const device = await requestDevice.call(this, descriptor);
      devices.push(new WeakRef(device));
      return device;
    };
  }
  for (const Canvas of [globalThis.OffscreenCanvas, globalThis.HTMLCanvasElement]) {
    if (Canvas === undefined) continue;
    const prototype = Canvas.prototype as { getContext(this: unknown, ...args: unknown[]): unknown };
    const { getContext } = prototype;
    prototype.getContext = function (...args) {
      const context = getContext.apply(this, args);
      if (context instanceof WebGL2RenderingContext) contexts.push(new WeakRef(context));
      return context;
    };
  }

  return () => {
    const here = devices.splice(0).flatMap((one) => one.deref() ?? []);
    for (const device of here) device.destroy();
    const open = contexts
      .splice(0)
      .flatMap((one) => one.deref() ?? [])
      .filter((context) => !context.isContextLost());
    for (const context of open) context.getExtension('WEBGL_lose_context')?.loseContext();
    return here.length + open.length;
  };
}
