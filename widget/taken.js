/** What the desk takes, for a browser's choice of files. */
export const TAKEN = "image/jpeg,image/png,image/gif,image/webp,application/pdf,text/plain,.csv,.docx,.xlsx,.pptx,.odt,.ods,.zip,video/mp4,audio/*";
export const CLIP = "m21.4 11.1-9.2 9.2a6 6 0 0 1-8.5-8.5l8.6-8.6a4 4 0 0 1 5.7 5.7l-8.6 8.5a2 2 0 0 1-2.8-2.8l8.5-8.5";

/** Takes the files that are dropped on a part of the page. @param {HTMLElement} over @param {(files: FileList | undefined) => void} take */
export function onDrop(over, take) {
  for (const name of /** @type {const} */ (["dragover", "dragleave", "drop"])) {
    over.addEventListener(name, (event) => {
      if (![...(event.dataTransfer?.types || [])].includes("Files")) return;
      event.preventDefault();
      over.classList.toggle("dropping", name === "dragover");
      if (name === "drop") take(event.dataTransfer?.files);
    });
  }
}
