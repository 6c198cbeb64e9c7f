/** What the help dialog lists: the keys of keys.js and those of writing. */
const apple = /Mac|iPhone|iPad/.test(navigator.platform);
const mod = apple ? "⌘" : "Ctrl";
const alt = apple ? "⌥" : "Alt";

export const KEYS = [
  { says: "move", keys: [["J"], ["K"]] },
  { says: "open", keys: [["↵"]] },
  { says: "neighbour", keys: [[alt, "J"], [alt, "K"]] },
  { says: "reply", keys: [["R"], [alt, "L"]] },
  { says: "note", keys: [["N"], [alt, "P"]] },
  { says: "answer", keys: [[alt, "1"], [alt, "2"], [alt, "3"]] },
  { says: "articles", keys: [[alt, "A"]] },
  { says: "canned", keys: [["/"]] },
  { says: "resolve", keys: [["E"], [alt, "E"]] },
  { says: "resolve_next", keys: [[mod, alt, "E"]] },
  { says: "snooze", keys: [["Z"], [alt, "M"]] },
  { says: "claim", keys: [["C"]] },
  { says: "transfer", keys: [["T"]] },
  { says: "search", keys: [["/"]] },
  { says: "palette", keys: [[mod, "K"]] },
  { says: "send", keys: [[mod, "↵"]] },
  { says: "leave", keys: [["Esc"]] },
  { says: "help", keys: [["?"]] },
];
