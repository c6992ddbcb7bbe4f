// Links in pages that go through the server's proxy are written anew (apimachinery v0.36.3, pkg/util/proxy/transport.go, rewriteHTML).
// As there, every start tag is put in one form and all else stays as it is; the tokenizer follows golang.org/x/net/html.

/** Attributes that hold URLs, by tag. */
const URL_ATTRIBUTES: Record<string, string[]> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
};

/** What is in them is text up to their end tag. */
const RAW_TEXT = new Set(['iframe', 'noembed', 'noframes', 'noscript', 'plaintext', 'script', 'style', 'title', 'textarea', 'xmp']);

/** Characters by name, as far as pages write them in attributes. */
const ENTITIES: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '\u00a9',
  reg: '\u00ae',
  laquo: '\u00ab',
  raquo: '\u00bb',
  ndash: '\u2013',
  mdash: '\u2014',
  hellip: '\u2026',
};

const unescapeHtml = (text: string): string =>
  text.replace(/&(?:#(\d+)|#[xX]([0-9A-Fa-f]+)|([A-Za-z]+));?/g, (whole, decimal, hexadecimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000) ? String.fromCodePoint(code) : '\ufffd';
  });

const SPECIAL: Record<string, string> = { '&': '&amp;', "'": '&#39;', '<': '&lt;', '>': '&gt;', '"': '&#34;', '\r': '&#13;' };
const escapeHtml = (text: string): string => text.replace(/[&'<>"\r]/g, c => SPECIAL[c]);

interface StartTag {
  name: string;
  attributes: [name: string, value: string][];
  selfClosing: boolean;
  /** Where the text goes on. */
  end: number;
}

/** The start tag at `at`; null: the page ends in it. */
function startTag(html: string, at: number): StartTag | null {
  const name = /[^\s/>]*/y;
  name.lastIndex = at + 1;
  const tag: StartTag = { name: (name.exec(html)?.[0] ?? '').toLowerCase(), attributes: [], selfClosing: false, end: name.lastIndex };
  const key = /[\s/]*([^\s/>][^\s/>=]*)?/y;
  const value = /\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)?)/y;
  let unquotedTo = -1;
  for (;;) {
    key.lastIndex = tag.end;
    const found = key.exec(html);
    tag.end = key.lastIndex;
    if (tag.end >= html.length) return null;
    if (html[tag.end] === '>' && found?.[1] === undefined) {
      // The slash may be the last sign of a value without quotes.
      tag.selfClosing = html[tag.end - 1] === '/' && tag.end !== unquotedTo;
      tag.end++;
      return tag;
    }
    value.lastIndex = tag.end;
    const given = value.exec(html);
    if (given) tag.end = value.lastIndex;
    const attribute = (found?.[1] ?? '').toLowerCase();
    if (given?.[3] !== undefined) unquotedTo = tag.end;
    if (attribute) tag.attributes.push([attribute, unescapeHtml(given?.[1] ?? given?.[2] ?? given?.[3] ?? '')]);
    if (!found?.[1] && !given) tag.end++;
  }
}

const tagText = (t: StartTag): string =>
  `<${t.name}${t.attributes.map(([name, value]) => ` ${name}="${escapeHtml(value)}"`).join('')}${t.selfClosing ? '/' : ''}>`;

/** `rewrite`: what becomes of an attribute's URL. */
export function rewriteHtml(html: string, rewrite: (url: string) => string): string {
  let out = '';
  let at = 0;
  for (;;) {
    const next = nextTag(html, at);
    if (next < 0) return out + html.slice(at);
    const tag = startTag(html, next);
    if (!tag) return out + html.slice(at, next);
    const urls = Object.hasOwn(URL_ATTRIBUTES, tag.name) ? URL_ATTRIBUTES[tag.name] : [];
    tag.attributes = tag.attributes.map(([name, value]) => [name, urls.includes(name) ? rewrite(value) : value]);
    out += html.slice(at, next) + tagText(tag);
    at = tag.end;
    if (!RAW_TEXT.has(tag.name)) continue;
    const close = new RegExp(`</${tag.name}(?=[\\s/>])`, 'gi');
    close.lastIndex = at;
    const end = tag.name === 'plaintext' ? null : close.exec(html);
    out += html.slice(at, end?.index ?? html.length);
    at = end?.index ?? html.length;
  }
}

/** Where the next start tag begins, past comments and end tags; -1: there is none. */
function nextTag(html: string, from: number): number {
  const thing = /<(?:([A-Za-z])|!--|[!?/])/g;
  thing.lastIndex = from;
  for (let m = thing.exec(html); m; m = thing.exec(html)) {
    if (m[1] !== undefined) return m.index;
    const close = m[0] === '<!--' ? html.indexOf('-->', m.index + 2) : html.indexOf('>', m.index + 2);
    if (close < 0) return -1;
    thing.lastIndex = close + 1;
  }
  return -1;
}
