import { engine as runtime } from '@tensorflow/tfjs';

/** Takes the device or context away, as a driver does. */
export const lose = {
  webgl(): void {
    const { gpgpu } = runtime().registry.webgl as unknown as { gpgpu: { gl: WebGL2RenderingContext } };
    gpgpu.gl.getExtension('WEBGL_lose_context')!.loseContext();
  },
  webgpu(): void {
    (runtime().registry.webgpu as unknown as { device: { destroy(): void } }).device.destroy();
  },
};
