// The file that a download goes to (src/url.c url_file_name, src/http.c parse_content_disposition, 1.21.3).
import { absolute, lookup } from '../../../linux/vfs.ts';
import { percentDecode, type Url } from '../../url.ts';
import { isOn, type Run, usualPort } from './run.ts';

/** Decoded, and what a file's name cannot hold encoded again (--restrict-file-names=unix). */
const element = (text: string): string => {
  let out = '';
  for (const c of percentDecode(text)) {
    const code = c.charCodeAt(0);
    const held = code >= 32 && c !== '/' && !(code >= 128 && code < 160);
    out += held ? c : `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out === '..' ? '%2E%2E' : out;
};

/** -x: the host and the path's folders, less the first --cut-dirs of them. */
function folders(r: Run, url: Url, dirs: string[]): string[] {
  const host = url.port !== null && url.port !== usualPort(url) ? `${url.host}:${url.port}` : url.host;
  return [
    ...(isOn(r, 'protocoldirectories') ? [url.scheme] : []),
    ...(isOn(r, 'addhostdir', true) ? [host] : []),
    ...dirs.slice(r.a.amount.get('cutdirs') ?? 0).map(element),
  ];
}

const makesFolders = (r: Run): boolean => isOn(r, 'dirstruct') && !r.spider && !isOn(r, 'deleteafter');

/** An existing file may be written over, or is gone on with. */
export const mayClobber = (r: Run): boolean =>
  isOn(r, 'noclobber') || isOn(r, 'continue') || isOn(r, 'timestamping') || makesFolders(r) || r.out !== null;

export const exists = (r: Run, name: string): boolean => typeof lookup(r.p.fs, absolute(name, r.p.cwd), r.p) !== 'string';

/** NAME, or NAME.1, NAME.2 … when that is taken. */
export function freeName(r: Run, name: string): string {
  if (mayClobber(r) || !exists(r, name)) return name;
  for (let i = 1; ; i++) if (!exists(r, `${name}.${i}`)) return `${name}.${i}`;
}

/** `given`: the name that Content-Disposition has. */
export function fileName(r: Run, url: Url, given?: string): string {
  const [path, query] = [url.path.replace(/\?.*/s, ''), /\?(.*)/s.exec(url.path)?.[1]];
  const dirs = path.split('/').slice(1);
  const file = dirs.pop() || (r.a.text.get('defaultpage') ?? 'index.html');
  const name = element(given ?? (query === undefined ? file : `${file}?${query}`));
  const prefix = r.a.text.get('dirprefix')?.replace(/(.)\/+$/, '$1');
  const parts = [...(prefix && prefix !== '.' ? [prefix] : []), ...(makesFolders(r) ? folders(r, url, dirs.filter(Boolean)) : []), name];
  return freeName(r, parts.join('/'));
}

export function dispositionName(value: string): string | null {
  const m = /(?:^|;)\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(value);
  const name = (m?.[1]?.replace(/\\(.)/g, '$1') ?? m?.[2] ?? '').replace(/.*[/\\]/, '');
  return name || null;
}
