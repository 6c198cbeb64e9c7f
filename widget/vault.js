/**
 * What this browser remembers for the shop. Where storage is full or forbidden the values live as long as the page.
 * @param {string} prefix
 * @returns {Vault}
 */
export function createVault(prefix) {
  /** @type {Map<string, string>} */
  const memory = new Map();
  /** @type {Storage | null} */
  let store = null;
  try {
    store = localStorage;
  } catch {
    // forbidden on this page
  }
  const stored = () => (store ? Object.keys(store) : []).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  return {
    get: (name) => memory.get(name) ?? store?.getItem(prefix + name) ?? null,
    set(name, value) {
      try {
        if (!store) throw new Error("no storage");
        store.setItem(prefix + name, value);
        memory.delete(name);
      } catch {
        memory.set(name, value);
      }
    },
    drop(name) {
      memory.delete(name);
      store?.removeItem(prefix + name);
    },
    names: () => [...new Set([...memory.keys(), ...stored()])],
    clear() {
      memory.clear();
      for (const name of stored()) store?.removeItem(prefix + name);
    },
  };
}

let lastMs = 0;

/** A UUID version 7 (RFC 9562): sorts by the time it was made. Not crypto.randomUUID, which needs https. */
export function newId() {
  lastMs = Math.max(Date.now(), lastMs + 1);
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  bytes[0] = (bytes[0] & 0x0f) | 0x70;
  bytes[2] = (bytes[2] & 0x3f) | 0x80;
  const hex = lastMs.toString(16).padStart(12, "0") + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
