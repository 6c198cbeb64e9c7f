// A shopper or an agent on the official client: keeps the contract's rules, and tells on stdout.
//   stdin, a line each:  {"post": CLIENT_ID, "body", ...}   {"drop": true}   {"end": true}
//   stdout, a line each: {"welcome"} {"shown": envelope} {"answer": CLIENT_ID, ...} {"transport"}
// Arguments: URL with namespace, auth as JSON, transports separated by commas.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { cwd } from "node:process";

// The packages are beside tests/tools, where this program is started.
const { io } = createRequire(`${cwd()}/`)("socket.io-client");

const [url, auth, transports] = process.argv.slice(2);
const credentials = JSON.parse(auth);
/** @type {Map<string, number>} the last number shown of each conversation */
const shown = new Map();
/** @type {{client_id: string}[]} what is not acknowledged, in order */
const outbox = [];
const MAY_BE_TRIED_AGAIN = ["unavailable", "too_many"];
let sending = false;

/** @param {object} line */
const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const socket = io(url, {
  // A function, so that the token of the first welcome is there at the next connect.
  auth: (give) => give(credentials),
  transports: transports.split(","),
  reconnectionDelay: 50,
  reconnectionDelayMax: 300,
});

/** @param {any} envelope */
function apply(envelope) {
  const last = shown.get(envelope.conversation_id) ?? 0;
  if (envelope.conversation_seq === last + 1) {
    shown.set(envelope.conversation_id, last + 1);
    tell({ shown: envelope });
  } else if (envelope.conversation_seq > last + 1) {
    void catchUp(envelope.conversation_id);
  }
}

/** @param {string} conversation_id */
async function catchUp(conversation_id) {
  for (let complete = false; !complete; ) {
    const after_seq = shown.get(conversation_id) ?? 0;
    const answer = await socket
      .timeout(5000)
      .emitWithAck("conversation.catch_up", { conversation_id, after_seq })
      .catch(() => null);
    if (answer?.ok) {
      answer.events.forEach(apply);
      complete = answer.complete;
    } else if (!socket.connected || (answer && !MAY_BE_TRIED_AGAIN.includes(answer.error.code))) {
      // Whoever connects again is told what is missing.
      return;
    }
  }
}

async function send() {
  if (sending) return;
  sending = true;
  while (outbox.length && socket.connected) {
    const message = outbox[0];
    const answer = await socket
      .timeout(5000)
      .emitWithAck("message.post", message)
      .catch(() => null);
    if (answer?.ok) {
      tell({ answer: message.client_id, ...answer });
      outbox.shift();
    } else if (answer && !MAY_BE_TRIED_AGAIN.includes(answer.error.code)) {
      tell({ failed: answer.error });
      outbox.shift();
    }
  }
  sending = false;
}

socket.on("welcome", (welcome) => {
  if (welcome.visitor_token) credentials.visitor_token = welcome.visitor_token;
  tell({ welcome, transport: socket.io.engine.transport.name });
  for (const { id, conversation_seq } of welcome.conversations) {
    if (conversation_seq > (shown.get(id) ?? 0)) void catchUp(id);
  }
  void send();
});
socket.on("event", apply);
socket.on("signal", (signal) => tell({ signal }));
socket.on("disconnect", (reason) => tell({ disconnected: reason }));
socket.on("connect_error", (error) => {
  tell({ refused: error.data ?? error.message });
  // After a refusal the client does not try again by itself; while the server is away it does.
  if (error.data?.error?.code === "unavailable") setTimeout(() => socket.connect(), 100);
});
socket.io.engine?.on("upgrade", (transport) => tell({ transport: transport.name }));

for await (const line of createInterface({ input: process.stdin })) {
  const step = JSON.parse(line);
  if (step.post) {
    const { post, ...rest } = step;
    outbox.push({ client_id: post, ...rest });
    void send();
  } else if (step.drop) {
    socket.io.engine.close();
  } else if (step.end) {
    break;
  }
}
socket.disconnect();
process.exit(0);
