/// <reference types="@webgpu/types" />

/** Runs work under a WebGPU driver that gets its exponentials wrong. */
export const withWrongExponentials = (work: () => Promise<void>) => withExponentials('exp(0.5 * ', work);

/** Runs work under a WebGPU driver that takes no program with exponentials. */
export const withoutExponentials = (work: () => Promise<void>) => withExponentials('unheardOf(', work);

async function withExponentials(exponential: string, work: () => Promise<void>): Promise<void> {
  const { createShaderModule } = GPUDevice.prototype;
  GPUDevice.prototype.createShaderModule = function (this: GPUDevice, descriptor) {
    return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replaceAll('exp(', exponential) });
  };
  try {
    await work();
  } finally {
    GPUDevice.prototype.createShaderModule = createShaderModule;
  }
}
