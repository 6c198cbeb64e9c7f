/** The one function used here; the library brings its own types only with its npm package. */
export function io(url: string, options: object): any;
