// create configmap and create secret (k8s.io/kubectl v0.36.3, pkg/cmd/create/create_configmap.go, create_secret*.go).

import type { KubeObject } from '../../apiserver/types.ts';
import { base64, bytesToString, hex, stringToBytes } from '../../sim/bytes.ts';
import { goQuote } from '../../sim/quote.ts';
import { sha256 } from '../../sim/sha256.ts';
import { bool, type Cmd, flag, list } from '../command.ts';
import { fail, isFailure } from '../failure.ts';
import { readBytes, readText } from '../files.ts';
import { goJson } from '../go-json.ts';

const baseName = (path: string) => path.replace(/\/+$/, '').split('/').at(-1) || (path.startsWith('/') ? '/' : '.');

function fileSource(source: string): { key: string; path: string } {
  const n = source.split('=').length - 1;
  if (n === 0) return { key: baseName(source), path: source };
  if (n === 1 && source.startsWith('=')) fail(`key name for file path ${source.slice(1)} missing`);
  if (n === 1 && source.endsWith('=')) fail(`file path for key name ${source.slice(0, -1)} missing`);
  if (n > 1) fail("key names or file paths cannot contain '='");
  const [key, path] = source.split('=');
  return { key, path };
}

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;

/** validation.IsConfigMapKey */
function keyErrors(key: string): string[] {
  const errors: string[] = [];
  if (key.length > 253) errors.push('must be no more than 253 characters');
  if (!CONFIG_KEY.test(key))
    errors.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  if (key === '.') errors.push("must not be '.'");
  if (key === '..') errors.push("must not be '..'");
  else if (key.startsWith('..')) errors.push("must not start with '..'");
  return errors;
}

const WHY: Record<string, string> = { ENOENT: 'no such file or directory', EACCES: 'permission denied', ENOTDIR: 'not a directory' };

/** Files and folders of --from-file, in order. */
function fromFiles(cmd: Cmd, sources: string[], add: (key: string, data: Uint8Array) => void): void {
  for (const source of sources) {
    const { key, path } = fileSource(source);
    const info = cmd.host.stat(path);
    if (typeof info === 'string') {
      fail(`error reading ${path}: ${WHY[info] ?? info}`);
      continue;
    }
    if (!info.directory) {
      add(key, readBytes(cmd, path));
      continue;
    }
    if (source.includes('=')) fail('cannot give a key name for a directory path');
    const names = cmd.host.listDir(path);
    if (typeof names === 'string') fail(`error listing files in ${path}: open ${path}: ${WHY[names] ?? names}`);
    for (const name of [...(names as string[])].sort()) {
      const item = `${path.replace(/\/$/, '')}/${name}`;
      const itemInfo = cmd.host.stat(item);
      if (typeof itemInfo !== 'string' && !itemInfo.directory && !itemInfo.link) add(name, readBytes(cmd, item));
    }
  }
}

function fromLiterals(sources: string[], add: (key: string, value: string) => void): void {
  for (const source of sources) {
    const at = source.indexOf('=');
    if (at <= 0) fail(`invalid literal source ${source}, expected key=value`);
    add(source.slice(0, at), source.slice(at + 1).replace(/^(['"])(.*)\1$/s, '$2'));
  }
}

function fromEnvFiles(cmd: Cmd, what: string, sources: string[], add: (key: string, value: string) => void): void {
  for (const path of sources) {
    const info = cmd.host.stat(path);
    if (typeof info === 'string') fail(`error reading ${path}: ${WHY[info] ?? info}`);
    else if (info.directory) fail(`env ${what} file cannot be a directory`);
    const lines = readText(cmd, path)
      .replace(/^\ufeff/, '')
      .split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const raw of lines) {
      const line = raw.replace(/\r$/, '').trimStart();
      if (!line || line[0] === '#') continue;
      const at = line.indexOf('=');
      const key = at < 0 ? line : line.slice(0, at);
      if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(key))
        fail(
          `${goQuote(key)} is not a valid key name: a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')`,
        );
      add(key, at < 0 ? (cmd.host.env[key] ?? '') : line.slice(at + 1));
    }
  }
}

const isUtf8 = (data: Uint8Array): boolean => {
  const text = bytesToString(data);
  if (!text.includes('\ufffd')) return true;
  const back = stringToBytes(text);
  return back.length === data.length && back.every((b, i) => b === data[i]);
};

export function shortHash(text: string): string {
  const digits = hex(sha256(stringToBytes(text)));
  const map: Record<string, string> = { 0: 'g', 1: 'h', 3: 'k', a: 'm', e: 't' };
  return [...digits.slice(0, 10)].map(c => map[c] ?? c).join('');
}

const nonEmpty = (o: Record<string, string>) => (Object.keys(o).length ? o : undefined);

export function configMap(cmd: Cmd, name: string): KubeObject {
  if (!name) fail('name must be specified');
  if (list(cmd, 'from-env-file').length && (list(cmd, 'from-file').length || list(cmd, 'from-literal').length))
    fail('from-env-file cannot be combined with from-file or from-literal');
  const data: Record<string, string> = {};
  const binary: Record<string, string> = {};
  const check = (key: string) => {
    const errors = keyErrors(key);
    if (errors.length) fail(`${goQuote(key)} is not a valid key name for a ConfigMap: ${errors.join(',')}`);
    if (key in data) fail(`cannot add key ${goQuote(key)}, another key by that name already exists in Data for ConfigMap ${goQuote(name)}`);
    if (key in binary)
      fail(`cannot add key ${goQuote(key)}, another key by that name already exists in BinaryData for ConfigMap ${goQuote(name)}`);
  };
  const addText = (key: string, value: string) => {
    check(key);
    data[key] = value;
  };
  fromFiles(cmd, list(cmd, 'from-file'), (key, bytes) => {
    if (isUtf8(bytes)) return addText(key, bytesToString(bytes));
    check(key);
    binary[key] = base64(bytes);
  });
  fromLiterals(list(cmd, 'from-literal'), addText);
  fromEnvFiles(cmd, 'config', list(cmd, 'from-env-file'), addText);
  const hash = bool(cmd, 'append-hash')
    ? `-${shortHash(goJson({ kind: 'ConfigMap', name, data: nonEmpty(data) ?? {}, ...(nonEmpty(binary) ? { binaryData: binary } : {}) }))}`
    : '';
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name + hash }, data: nonEmpty(data), binaryData: nonEmpty(binary) };
}

function secretObject(cmd: Cmd, name: string, type: string, data: Record<string, string>): KubeObject {
  const hash = bool(cmd, 'append-hash') ? `-${shortHash(goJson({ kind: 'Secret', type, name, data }))}` : '';
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: name + hash }, type: type || undefined, data: nonEmpty(data) };
}

export function secretGeneric(cmd: Cmd, name: string): KubeObject {
  if (!name) fail('name must be specified');
  if (list(cmd, 'from-env-file').length && (list(cmd, 'from-file').length || list(cmd, 'from-literal').length))
    fail('from-env-file cannot be combined with from-file or from-literal');
  const data: Record<string, string> = {};
  const add = addSecretKey(data);
  fromFiles(cmd, list(cmd, 'from-file'), add);
  fromLiterals(list(cmd, 'from-literal'), (k, v) => add(k, stringToBytes(v)));
  fromEnvFiles(cmd, 'secret', list(cmd, 'from-env-file'), (k, v) => add(k, stringToBytes(v)));
  return secretObject(cmd, name, flag(cmd, 'type'), data);
}

const addSecretKey = (data: Record<string, string>) => (key: string, bytes: Uint8Array) => {
  const errors = keyErrors(key);
  if (errors.length) fail(`${goQuote(key)} is not valid key name for a Secret ${errors.join(';')}`);
  if (key in data) fail(`cannot add key ${key}, another key by that name already exists`);
  data[key] = base64(bytes);
};

export function secretDockerRegistry(cmd: Cmd, name: string): KubeObject {
  const files = list(cmd, 'from-file').map(f => (f.includes('=') ? f : `.dockerconfigjson=${f}`));
  const [username, password, email, server] = ['username', 'password', 'email', 'server'].map(f => flag(cmd, `docker-${f}`));
  if (!name) fail('name must be specified');
  if (!files.length && (!username || !password || !server))
    fail('either --from-file or the combination of --docker-username, --docker-password and --docker-server is required');
  const data: Record<string, string> = {};
  if (files.length) fromFiles(cmd, files, addSecretKey(data));
  else {
    const entry: Record<string, string> = { username, password };
    if (email) entry.email = email;
    entry.auth = base64(stringToBytes(`${username}:${password}`));
    const fields = Object.entries(entry).map(([k, v]) => `${goJson(k)}:${goJson(v)}`);
    data['.dockerconfigjson'] = base64(stringToBytes(`{"auths":{${goJson(server)}:{${fields.join(',')}}}}`));
  }
  return secretObject(cmd, name, 'kubernetes.io/dockerconfigjson', data);
}

export function secretTls(cmd: Cmd, name: string): KubeObject {
  const [key, cert] = [flag(cmd, 'key'), flag(cmd, 'cert')];
  if (!key || !cert) fail('key and cert must be specified');
  const read = (path: string): Uint8Array => {
    try {
      return readBytes(cmd, path);
    } catch (e) {
      return isFailure(e) ? fail(`Cannot read file ${path}, ${e.message}`) : fail(String(e));
    }
  };
  const [certBytes, keyBytes] = [read(cert), read(key)];
  const pem = (text: string, what: string) => {
    if (!text.includes('-----BEGIN ')) fail(`tls: failed to find any PEM data in ${what} input`);
  };
  pem(bytesToString(certBytes), 'certificate');
  pem(bytesToString(keyBytes), 'key');
  if (!bytesToString(certBytes).includes('-----BEGIN CERTIFICATE-----'))
    fail(`tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched`);
  return secretObject(cmd, name, 'kubernetes.io/tls', { 'tls.crt': base64(certBytes), 'tls.key': base64(keyBytes) });
}
