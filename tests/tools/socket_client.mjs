// The official Socket.IO client, steered by lines of JSON on stdin and answering on stdout.
//   {"id", "do": "connect", "url", "auth", "options"}   {"id", "do": "call", "event", "payload", "limit_ms"}
//   {"id", "do": "disconnect"}                           {"id", "do": "drop"}  (cuts the transport, as a lost network)
// Answers: {"id", "answer"} or {"id", "error"}; what the server sends: {"event", "args"}.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

/** @type {import("socket.io-client").Socket | undefined} */
let socket;

/** @param {object} line */
const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const steps = {
  connect({ url, auth, options }) {
    socket = io(url, { auth, forceNew: true, transports: ["websocket"], ...options });
    socket.onAny((event, ...args) => tell({ event, args }));
    socket.on("connect", () => tell({ event: "connect", args: [] }));
    socket.on("disconnect", (reason) => tell({ event: "disconnect", args: [reason] }));
    socket.on("connect_error", (error) =>
      tell({ event: "connect_error", args: [{ message: error.message, data: error.data ?? null }] }),
    );
    return null;
  },
  call: ({ event, payload, limit_ms }) => socket.timeout(limit_ms).emitWithAck(event, payload),
  disconnect() {
    socket.disconnect();
    return null;
  },
  drop() {
    socket.io.engine.close();
    return null;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: name, ...step } = JSON.parse(line);
  // Not awaited: calls overlap, as those of a browser do.
  Promise.resolve()
    .then(() => steps[name](step))
    .then(
      (answer) => tell({ id, answer }),
      (error) => tell({ id, error: String(error.message ?? error) }),
    );
}
process.exit(0);
