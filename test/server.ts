/** HTTP servers on a free port of this machine. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  // A client that asks again on a connection that is being closed for its silence has its request reset.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** Its address; browsers treat `localhost` as a secure context. */
export const originOf = (server: Server): string => `http://localhost:${(server.address() as AddressInfo).port}`;

/** Closes a server and the connections that clients keep open. */
export function closeServer(server: { close(): unknown; closeAllConnections?(): void } | undefined): void {
  server?.close();
  server?.closeAllConnections?.();
}
