/** An article as a chat message: Markdown goes, what it says stays. */

/** @type {[RegExp, string][]} what is taken out of a line, in this order */
const INLINE = [
  [/!\[([^\]]*)\]\([^)]*\)/g, "$1"],
  [/\[([^\]]+)\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/g, "$1 $2"],
  [/<(https?:[^>\s]+)>/g, "$1"],
  [/(`+)([^`]+)\1/g, "$2"],
  [/(\*\*|__)(?=\S)([^\n]*?\S)\1/g, "$2"],
  [/(^|[^\w*])[*_](?=\S)([^*_\n]*[^\s*_])[*_](?!\w)/g, "$1$2"],
  [/~~([^~\n]+)~~/g, "$1"],
  [/\\([\\`*_{}[\]()#+\-.!|>~])/g, "$1"],
];

/** @param {string} line */
function plainLine(line) {
  if (/^\s*([-*_]\s*){3,}$/.test(line) || /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/.test(line) || /^\s*(```|~~~)/.test(line)) return null;
  let text = line.replace(/^\s{0,3}#{1,6}\s+(.*?)\s*#*$/, "$1").replace(/^(\s*>\s?)+/, "").replace(/^(\s*)[-*+]\s+/, "$1• ");
  if (/^\s*\|.*\|\s*$/.test(text)) text = text.trim().slice(1, -1).split("|").map((cell) => cell.trim()).join(" · ");
  for (const [mark, instead] of INLINE) text = text.replace(mark, instead);
  return text.replace(/\s+$/, "");
}

/** The text as people write it in a chat. Lines of one paragraph are joined as they were. @param {string} markdown */
export function plain(markdown) {
  const lines = markdown.replace(/\r\n?/g, "\n").split("\n").map(plainLine).filter((line) => line !== null);
  return lines.join("\n").replace(/\n{3,}/g, "\n\n").trim();
}
