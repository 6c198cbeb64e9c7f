/** The vendored libraries under the names the console uses; vendor.d.ts says what is used of them. */
import htm from "../../vendor/htm.module.js";
import { io } from "../../vendor/socket.io.esm.min.js";

// These three are classic scripts that set globals: see vendor/vendor.json for why.
const { preact, preactHooks, preactSignals } = globalThis;

export const html = htm.bind(preact.h);
export const { render } = preact;
export const { useEffect, useLayoutEffect, useRef, useState } = preactHooks;
export const { signal, computed, effect, batch, untracked } = preactSignals;
export { io };
