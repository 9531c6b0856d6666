import { printable } from '../formats/reading/printable.ts';
import { refuse } from '../formats/refuse.ts';

/** An element's start tag: its name and, of a `File` or a `Disk`, its attributes, without their prefixes. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** The five entities of XML itself (XML 1.0, 4.6); no document can define others here. */
const entities: ReadonlyMap<string, string> = new Map([['amp', '&'], ['lt', '<'], ['gt', '>'], ['quot', '"'], ['apos', '\'']]);
const elementLimit = 20_000;
/** The elements whose attributes matter; those of others may be anything. */
const understood: ReadonlySet<string> = new Set(['File', 'Disk']);

/** What a document consists of, one after the other: text, comment, CDATA, processing instruction, end tag, start tag. */
const token = /[^<]+|<!--(?:[^-]|-[^-])*-->|<!\[CDATA\[(?:[^\]]|\](?!\]>))*\]\]>|<\?[^?]*(?:\?(?!>)[^?]*)*\?>|<\/[^<>]+>|<([^\s<>/!?"']+)((?:\s+[^\s<>/="']+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*\/?>/gy;
const attribute = /([^\s<>/="']+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;

/**
 * The start tags of an XML document in order. No more of XML is understood than that: a document type, and with it every
 * entity and everything that is fetched from elsewhere, is refused by `ova.descriptor`, and so is what is not well-formed as
 * far as it can be seen by its tags. `offset` is where the document stands.
 */
export function readXmlElements(document: string, offset: number): readonly XmlElement[] {
  const elements: XmlElement[] = [];
  token.lastIndex = 0;
  for (let at = 0; at < document.length; at = token.lastIndex) {
    const found = token.exec(document);
    if (found === null) {
      const value = printable(document.slice(at, at + 40));
      const what = /^<!DOCTYPE/i.test(document.slice(at, at + 9)) ? 'a document type' : 'no XML';
      refuse('ova.descriptor', `The descriptor holds ${what} at its character ${at}: "${value}".`, { offset: offset + at, value });
    }
    if (found[1] === undefined) continue;
    const name = localName(found[1]);
    elements.push({ name, attributes: understood.has(name) ? readAttributes(found[2] ?? '', offset + at) : new Map() });
    if (elements.length > elementLimit) {
      refuse('ova.limits', `The descriptor has more than ${elementLimit} elements.`, { offset: offset + at, value: elements.length, limit: elementLimit });
    }
  }
  return elements;
}

function readAttributes(text: string, offset: number): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = '', double, single] of text.matchAll(attribute)) {
    const local = localName(name);
    const isNamespace = name === 'xmlns' || name.startsWith('xmlns:');
    if (isNamespace) continue;
    if (attributes.has(local)) {
      refuse('ova.descriptor', `The descriptor gives the attribute ${printable(local)} twice.`, { offset, value: printable(local) });
    }
    attributes.set(local, decodeText(double ?? single ?? '', offset));
  }
  return attributes;
}

function decodeText(text: string, offset: number): string {
  return text.replaceAll(/&([^;&]{0,12});?/g, (whole, name: string) => {
    const code = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name);
    const point = code === null ? Number.NaN : Number.parseInt(code[1] ?? code[2] ?? '', code[1] === undefined ? 10 : 16);
    const character = whole.endsWith(';') ? (entities.get(name) ?? characterOf(point)) : undefined;
    return character ?? refuse('ova.descriptor', `The descriptor uses the entity "${printable(whole)}".`, { offset, value: printable(whole) });
  });
}

function characterOf(point: number): string | undefined {
  return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : undefined;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
