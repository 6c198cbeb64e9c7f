/**
 * The shop's words to the chat widget. They may be said before the widget has loaded, and are lost
 * without harm where it never does.
 *
 * @param {string} command
 * @param {...unknown} values
 */
export function desk(command, ...values) {
  const page = /** @type {any} */ (window); // the widget puts its one name there
  page.Shopbell ??= [];
  page.Shopbell.push([command, ...values]);
}
