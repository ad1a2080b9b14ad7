/**
 * What a whole Chromium did to the network, of all its pages, workers and services, as its network stack logs it: requests,
 * names that were looked up, and connections that were opened ahead. The devtools protocol does not tell the last two.
 *
 * @see https://www.chromium.org/developers/design-documents/network-stack/netlog/
 */
import { readFileSync } from 'node:fs';

export interface NetworkAct {
  readonly kind: 'request' | 'lookup' | 'connection';
  /** A URL; of a lookup with the port that the name was looked up for, where there is one. */
  readonly address: string;
  /** Of a request. */
  readonly method?: string;
  readonly hasBody?: boolean;
}

/** Flags of a browser that writes such a log, whole when the browser has closed. */
export const logFlags = (path: string): string[] => [`--log-net-log=${path}`];

/** What Chromium asks of its makers, by itself, whatever a test switches off: but not how to fill the fields of a page. */
const BROWSERS_OWN =
  /^(?!content-autofill\.)(.*\.)?(google|googleapis|gstatic|googleusercontent|gvt1|chromium)\.(com|org)$/;

interface LoggedEvent {
  readonly type: number;
  readonly phase: number;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** @returns Everything but what the browser does of its own accord. */
export function readNetLog(path: string): NetworkAct[] {
  const { constants, events } = JSON.parse(readFileSync(path, 'utf8')) as {
    readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> };
    readonly events: readonly LoggedEvent[];
  };
  const names = new Map(Object.entries(constants.logEventTypes).map(([name, type]) => [type, name]));
  return events.flatMap(({ type, params = {} }) => actsOf(names.get(type) ?? '', params)).filter(isOurs);
}

function actsOf(name: string, params: Readonly<Record<string, unknown>>): NetworkAct[] {
  const { url, host, method, upload_id: upload } = params;
  if (name === 'URL_REQUEST_START_JOB' && typeof url === 'string') {
    return [{ kind: 'request', address: url, method: String(method), hasBody: upload !== undefined }];
  }
  if (name === 'HOST_RESOLVER_MANAGER_REQUEST' && typeof host === 'string') {
    return [{ kind: 'lookup', address: host.includes('://') ? host : `dns://${host}` }];
  }
  const connects = name === 'HTTP_STREAM_JOB_CONTROLLER' || name === 'QUIC_SESSION_WEBTRANSPORT_CLIENT_ALIVE';
  return connects && typeof url === 'string' ? [{ kind: 'connection', address: url }] : [];
}

function isOurs({ address }: NetworkAct): boolean {
  const { protocol, hostname } = new URL(address);
  return !/^(data|blob|chrome|chrome-extension|devtools):$/.test(protocol) && !BROWSERS_OWN.test(hostname);
}
