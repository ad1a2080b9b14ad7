/**
 * What a long visit holds on to: 1,000 recommendations and 50 switches of the backend (`npm run soak`; fewer in
 * `npm test`) leave as many tensors, bytes, GPU buffers, textures, programs, devices and contexts as there were.
 */
import { memory, engine as tensors } from '@tensorflow/tfjs';
import type { MathBackendWebGL } from '@tensorflow/tfjs-backend-webgl/dist/backend_webgl';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TensorBackend } from '../../src/compute/types';
import { createLocalEngine } from '../../src/engine/local-engine';
import type { Engine } from '../../src/engine/types';
import { models } from '../../src/models/index';
import { clicks, type Folder, folderOf, MODEL_URL, serveFolder, smallModel } from '../engine/fixture';
import { SMALL } from '../engine/parity';
import { isSoak, slice } from '../soak-slice';
import { patient } from './patient-engine';

const RECOMMENDATIONS = isSoak ? 1000 : 12;
const SWITCHES = isSoak ? 50 : 4;
const TIMEOUT = isSoak ? 1_800_000 : 240_000;

const ARCHITECTURES = Object.keys(models);
/** What `npm test` asks on a GPU, which takes its time in software: a recurrent network, and attention. */
const ASKED_ON: Partial<Record<TensorBackend, readonly string[]>> = {
  webgpu: ['gru4rec'],
  webgl: ['gru4rec', 'sasrec'],
};
const BACKENDS = ['webgpu', 'webgl', 'wasm', 'cpu'] as const satisfies readonly TensorBackend[];
/** What the switches go through: in `npm test` a GPU and a CPU. */
const SWITCHED = slice(BACKENDS, (backend) => backend === 'webgl' || backend === 'wasm');
/** Devices that were opened and not lost since, and contexts likewise. */
const devices = new Set<GPUDevice>();
const contexts = new Set<WebGL2RenderingContext>();
const { requestDevice } = GPUAdapter.prototype;
const canvases = [HTMLCanvasElement.prototype, OffscreenCanvas.prototype] as {
  getContext(this: unknown, ...args: unknown[]): unknown;
}[];
const getContexts = canvases.map(({ getContext }) => getContext);
beforeAll(() => {
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    devices.add(device);
    device.lost.then(() => devices.delete(device));
    return device;
  };
  for (const [i, canvas] of canvases.entries()) {
    canvas.getContext = function (...args) {
      const context = getContexts[i]!.apply(this, args);
      if (context instanceof WebGL2RenderingContext) contexts.add(context);
      return context;
    };
  }
});
afterAll(() => {
  GPUAdapter.prototype.requestDevice = requestDevice;
  for (const [i, canvas] of canvases.entries()) canvas.getContext = getContexts[i]!;
});

const folders = new Map<string, Folder>();
beforeAll(async () => {
  for (const architecture of ARCHITECTURES) {
    folders.set(architecture, await folderOf(await smallModel({ architecture, config: SMALL[architecture] ?? {} })));
  }
});

let engine: Engine;
afterEach(() => engine.dispose());

/** All that is held, on every backend that runs. */
function held() {
  const { numTensors, numBytes, numDataBuffers } = memory();
  const { webgl, webgpu } = tensors().registry as unknown as {
    readonly webgl?: MathBackendWebGL;
    readonly webgpu?: WebGPUBackend;
  };
  return {
    numTensors,
    numBytes,
    numDataBuffers,
    ...(webgpu && {
      buffers: webgpu.bufferManager.getNumUsedBuffers(),
      bufferBytes: webgpu.bufferManager.numBytesUsed,
      allocatedBufferBytes: webgpu.bufferManager.numBytesAllocated,
      gpuTextures: webgpu.textureManager.getNumUsedTextures(),
      pipelines: Object.keys((webgpu as unknown as { pipelineCache: object }).pipelineCache).length,
    }),
    ...(webgl && {
      textures: webgl.getTextureManager().getNumUsedTextures(),
      textureBytes: webgl.memory().numBytesInGPU,
      allocatedTextureBytes: webgl.getTextureManager().numBytesAllocated,
      programs: Object.keys((webgl as unknown as { binaryCache: object }).binaryCache).length,
    }),
    devices: devices.size,
    contexts: [...contexts].filter((context) => !context.isContextLost()).length,
  };
}

/** What there is to count at least: the hooks above see what is opened. */
const COUNTED: Readonly<Record<TensorBackend, object>> = {
  webgpu: { devices: 1, buffers: expect.any(Number) },
  webgl: { contexts: expect.toSatisfy((count: number) => count > 0), textures: expect.any(Number) },
  wasm: { numTensors: expect.any(Number) },
  cpu: { numTensors: expect.any(Number) },
};

/** One session after another, of 1 to 4 clicks. */
const ask = (n: number) =>
  engine.recommend({
    session: clicks(...Array.from({ length: 1 + (n % 4) }, (_, t) => `item-${6 + ((n * 7 + t * 5) % 55)}`)),
    k: 10,
    exclude: [],
  });

describe.each(ARCHITECTURES)('%s', (architecture) => {
  test.each(slice(BACKENDS, (backend) => ASKED_ON[backend]?.includes(architecture) ?? true))(
    `holds as much after ${RECOMMENDATIONS} recommendations as before, on %s`,
    async (backend) => {
      engine = createLocalEngine({ fetchFile: serveFolder(folders.get(architecture)!), ...patient });
      await engine.load({ modelUrl: MODEL_URL, backend });
      for (let n = 0; n < 8; n++) await ask(n);
      const before = held();
      for (let n = 0; n < RECOMMENDATIONS; n++) expect((await ask(n)).items).toHaveLength(10);
      expect(held()).toEqual(before);
      expect(before).toMatchObject(COUNTED[backend]);
    },
    TIMEOUT,
  );
});

test.each(slice(ARCHITECTURES, (name) => name === 'gru4rec'))(
  `%s holds as much after ${SWITCHES} switches of the backend as after the first round of them`,
  async (architecture) => {
    engine = createLocalEngine({ fetchFile: serveFolder(folders.get(architecture)!), ...patient });
    const round = async (n: number) => {
      await engine.load({ modelUrl: MODEL_URL, backend: SWITCHED[n % SWITCHED.length]! });
      for (let session = 0; session < 4; session++) await ask(session);
    };
    for (let n = 0; n < 2 * SWITCHED.length; n++) await round(n);
    const before = held();
    const rounds = Math.ceil(SWITCHES / SWITCHED.length) * SWITCHED.length;
    for (let n = 0; n < rounds; n++) await round(n);
    expect(held()).toEqual(before);
    expect(before.devices).toBeLessThanOrEqual(1);
    expect(before.contexts).toBeLessThanOrEqual(2); // one computes, and one may have been opened to ask what it can do
  },
  TIMEOUT,
);
