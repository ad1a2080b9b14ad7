/** The WebGL backend, with our own kernels where its are missing. A chunk of its own. */
import { engine, env, findBackendFactory, registerBackend, removeBackend } from '@tensorflow/tfjs';
import { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl/dist/backend_webgl';
import { watch } from '../device-loss';
import { kernels } from '../kernels/webgl/inference';
import type { BackendOptions } from './options';
import { addKernels } from './registry';
import { startTensorflow } from './tensorflow';

/** Where a device draws numbers of 16 bits, eleven of them digits, the ranking is as good. */
const tolerance = (): number => (env().getBool('WEBGL_RENDER_FLOAT32_ENABLED') ? 1e-3 : 2 ** -7);

export const start = ({ signal }: BackendOptions) => startTensorflow('webgl', register, tolerance, signal);

function register(): void {
  addKernels('webgl', kernels);
  // Software rendering is measured like any other, not ruled out.
  env().set('SOFTWARE_WEBGL_ENABLED', true);
  if (engine().registry.webgl) return;
  // Opened here and not in the factory, whose errors TensorFlow.js swallows.
  const backend = open();
  if (findBackendFactory('webgl')) removeBackend('webgl');
  registerBackend('webgl', () => backend, 3);
}

function open(): MathBackendWebGL {
  // Only its shaders have integers of 32 bits, which dropout counts with.
  if (env().getNumber('WEBGL_VERSION') !== 2) throw new Error('there is no WebGL 2 here');
  const backend = new MathBackendWebGL();
  const { gl } = backend.gpgpu;
  const canvas = gl.canvas as EventTarget;
  // TensorFlow.js lets the browser restore a context: it is not lost any more, then, but all that was in it is.
  let isLost = false;
  const lost = new Promise<string>((resolve) => {
    const lose = () => {
      isLost = true;
      resolve('the WebGL context was lost');
    };
    canvas.addEventListener('webglcontextlost', lose, { once: true });
  });
  watch(
    backend,
    lost,
    () => isLost || gl.isContextLost(),
    () => !isLost && draws(gl),
  );
  return Object.assign(backend, { convertAndCacheOnCPU: numbersOf, readSync: refusing(backend) });
}

/** Whether what is drawn can be read: a context whose process has died hands out zeros before it says that it is lost. */
function draws(gl: WebGLRenderingContext): boolean {
  const pixel = new Uint8Array(4);
  gl.bindFramebuffer(gl.FRAMEBUFFER, null);
  gl.scissor(0, 0, 1, 1);
  gl.clearColor(0.2, 0.4, 0.6, 1);
  gl.clear(gl.COLOR_BUFFER_BIT);
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  return pixel[0] === 51 && pixel[1] === 102 && pixel[2] === 153;
}

/**
 * Does not keep what was read beside the texture: an update would leave the copy behind, and a read that was on its way
 * would put it back.
 */
function numbersOf(this: MathBackendWebGL, dataId: object, read?: Float32Array) {
  const { dtype, values } = this.texData.get(dataId);
  if (!read) return values;
  if (dtype === 'float32') return read;
  return dtype === 'int32' ? Int32Array.from(read, Math.round) : Uint8Array.from(read, Math.round);
}

/** A synchronous read would hold the thread up until the GPU has finished. */
function refusing(backend: MathBackendWebGL): MathBackendWebGL['readSync'] {
  return (dataId) => {
    const { values, slice } = backend.texData.get(dataId);
    if (values != null && slice == null) return values;
    throw new Error('webgl: this tensor is on the GPU; read it with `await tensor.data()`.');
  };
}
