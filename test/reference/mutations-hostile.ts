/** Ways in that hostile pages, files and scripts once had, each opened again by an edit of our sources. */
import type { Mutation } from './mutation';

const LIMITS = 'src/limits.ts';
const DATABASE = 'src/store/database.ts';
const EVENT_STORE = 'src/store/event-store.ts';
const LOADER = 'src/engine/artifact-loader.ts';
const SERVED = 'src/ui/server-rendered.ts';

const storage = ['test/recommender-storage.test.ts'];
const faults = ['test/store/faults.test.ts'];
const eventStore = ['test/store/event-store.test.ts'];
const loader = ['test/engine/artifact-loader.test.ts'];
const served = ['test/ui/served.test.ts'];

export const mutations: readonly Mutation[] = [
  {
    error: 'hostile: an id of any length is stored',
    file: LIMITS,
    edits: [["typeof value === 'string' && value !== '' && value.length <= most", "value !== '' && most > 0"]],
    tests: storage,
  },
  {
    error: 'hostile: a page tracks without end',
    file: 'src/recommender.ts',
    edits: [['events < 1 ||', 'events < -1e6 ||']],
    tests: storage,
  },
  {
    error: 'hostile: a few large events push older ones out',
    file: 'src/recommender.ts',
    edits: [['    characters -= length;\n', '']],
    tests: storage,
  },
  {
    error: 'hostile: an event of a wrong clock stays',
    file: 'src/store/record-reader.ts',
    edits: [['isAhead(time, now) ? since : time', 'isAhead(time, now) ? now : time']],
    tests: eventStore,
  },
  {
    error: 'hostile: the connection to a database of another script stays open',
    file: DATABASE,
    edits: [['    connection.close();\n    onMissing?.();', '    onMissing?.();']],
    tests: faults,
  },
  {
    error: 'hostile: a database of another script is taken as it is',
    file: DATABASE,
    edits: [['if (isOurs(connection)) return', 'if (connection.version > 0) return']],
    tests: faults,
  },
  {
    error: 'hostile: records pass through the JSON of the page',
    file: EVENT_STORE,
    edits: [['const value = encode(events);', 'const value = JSON.parse(JSON.stringify(encode(events)));']],
    tests: eventStore,
  },
  {
    error: 'hostile: what was stored is not read back',
    file: EVENT_STORE,
    edits: [['      reader!.assertReadable(stored);\n', '']],
    tests: eventStore,
  },
  {
    error: 'hostile: a script that did not come while offline never comes',
    file: 'src/ui/loader.ts',
    edits: [["addEventListener('online', next, { once: true })", 'void next']],
    tests: ['test/ui/recovery.test.ts'],
    built: true,
  },
  {
    error: 'hostile: an artifact of any size is fetched',
    file: LOADER,
    edits: [['if (bytes > maxBytes) {', 'if (bytes > maxBytes * 1e9) {']],
    tests: loader,
  },
  {
    error: 'hostile: a download that drips never ends',
    file: LOADER,
    edits: [['setTimeout(stop, end - performance.now(),', 'setTimeout(stop, 2 ** 31 - 1 + 0 * end,']],
    tests: loader,
  },
  {
    error: 'hostile: tensors that the architecture does not have are taken',
    file: 'src/checkpoint/verify-parameters.ts',
    edits: [['if (surplus !== undefined) {', "if (surplus === '') {"]],
    tests: ['test/ranking/load-scorer.test.ts'],
  },
  {
    error: 'hostile: a header of any size is parsed',
    file: 'src/checkpoint/safetensors.ts',
    edits: [
      [
        'const most = Math.min(maxHeader, bytes.length - 8);',
        'const most = Math.max(0 * maxHeader, bytes.length - 8);',
      ],
    ],
    tests: ['test/checkpoint/safetensors.test.ts'],
  },
  {
    error: 'hostile: a golden session of any length is computed',
    file: 'src/checkpoint/manifest.ts',
    edits: [['list.length <= MAX_GOLDEN;', 'list.length <= MAX_GOLDEN ** 3;']],
    tests: ['test/checkpoint/artifact.test.ts'],
  },
  {
    error: 'hostile: a model that hangs its workers computes in the page',
    file: 'src/worker/client.ts',
    edits: [['    if (hasHung) {', '    if (hasHung && restarts < 0) {']],
    tests: ['test/worker/protocol.test.ts'],
  },
  {
    error: 'hostile: a template’s scripts are filled with texts of the catalogue',
    file: SERVED,
    edits: [['part.matches(CODE)', "part.matches('none')"]],
    tests: served,
    built: true,
  },
  {
    error: 'hostile: a title of any length is shown in a template',
    file: SERVED,
    edits: [['text.slice(0, MAX_SHOWN_TEXT)', 'text.slice(0, MAX_SHOWN_TEXT ** 3)']],
    tests: served,
    built: true,
  },
  {
    error: 'hostile: `push` is assigned, which a frozen prototype forbids',
    file: 'src/recommender/data-layer.ts',
    edits: [
      [
        "Object.defineProperty(array, 'push', { value: push, configurable: true, writable: true });",
        'array.push = push;',
      ],
    ],
    tests: ['test/ui/guest.test.ts'],
    built: true,
  },
  {
    error: 'hostile: functions that the page has replaced are called',
    file: 'src/captured.ts',
    edits: [
      [
        'export const parse = JSON.parse;\nexport const stringify = JSON.stringify;',
        'export const parse: typeof JSON.parse = (...a) => JSON.parse(...a);\n' +
          'export const stringify = (...a: Parameters<typeof JSON.stringify>) => JSON.stringify(...a);',
      ],
    ],
    tests: ['test/attacks/primordials.built.test.ts'],
    built: true,
  },
  {
    error: 'hostile: a field for the passphrase that the browser asks its makers about',
    file: 'src/ui/privacy/taste.ts',
    edits: [["    element.contentEditable = 'plaintext-only';", "    throw new Error('none');"]],
    tests: ['test/privacy/journey.test.ts'],
    built: true,
  },
  {
    error: 'hostile: a page that nobody has seen records a view',
    file: 'src/recommender.ts',
    edits: [['isHidden() ? [] : undefined', 'isHidden() && !isHidden() ? [] : undefined']],
    tests: ['test/ui/unseen.test.ts', 'test/ui/prerender.test.ts'],
    built: true,
  },
  {
    error: 'hostile: a frame without an origin rejects where nobody can hear it',
    file: DATABASE,
    edits: [["(globalThis.origin === 'null' ? undefined : indexedDB.databases?.())", 'indexedDB.databases?.()']],
    tests: ['test/ui/frames.test.ts'],
    built: true,
  },
  {
    error: 'hostile: what is tracked before a denial in an unseen page is stored by a later yes',
    file: 'src/recommender.ts',
    edits: [["if (change.consent === 'denied') for", "if (change.consent === 'denied' && false) for"]],
    tests: storage,
  },
  {
    error: 'hostile: a full device loses half of what is stored with every page',
    file: LIMITS,
    edits: [['MIN_STORED = 5000', 'MIN_STORED = 0']],
    tests: faults,
  },
  {
    error: 'hostile: what waits for a busy device is written after consent is unknown',
    file: EVENT_STORE,
    edits: [["erased || state === 'new'", 'erased']],
    tests: eventStore,
  },
];
