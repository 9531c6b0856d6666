/**
 * The texts of a source file as an operator reads them: strings that are put together over several lines are joined, and `…` stands
 * for whatever is put in.
 */
export function messagesOf(source: string): string {
  let text = source.replaceAll(/['`]\s*\n?\s*\+ ['`]/g, '').replaceAll("\\'", "'");
  for (let before = ''; before !== text;) {
    before = text;
    text = text.replaceAll(/\$\{[^{}]*\}/g, '…');
  }
  return text;
}
