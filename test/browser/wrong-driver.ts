/// <reference types="@webgpu/types" />

/** Runs work under a WebGPU driver that gets its exponentials wrong. */
export async function withWrongExponentials(work: () => Promise<void>): Promise<void> {
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (this: GPUDevice, descriptor) {
    return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replaceAll('exp(', 'exp(0.5 * ') });
  };
  try {
    await work();
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
  }
}
