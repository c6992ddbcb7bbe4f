// -o FORMAT: which printer prints an object (cli-runtime v0.36.3, pkg/genericclioptions/print_flags.go; kubectl pkg/cmd/get/get_flags.go).

import type { KubeObject } from '../apiserver/types.ts';
import { goSyntax } from '../sim/go-print.ts';
import { goQuote } from '../sim/quote.ts';
import { bool, type Cmd, flag, list, out } from './command.ts';
import { exitFailure, fail } from './failure.ts';
import { readText } from './files.ts';
import { goJsonIndent } from './go-json.ts';
import { lazy } from './lazy.ts';
import { objectName, splitApiVersion } from './mapping.ts';

/** Prints one object, or a list as one. */
export type Printer = (object: any) => void;

const JSON_YAML = ['json', 'yaml', 'kyaml'];
const GO_TEMPLATE = ['go-template', 'go-template-file', 'template', 'templatefile'];
const JSONPATH = ['jsonpath', 'jsonpath-as-json', 'jsonpath-file'];
const CUSTOM = ['custom-columns', 'custom-columns-file'];

const ALLOWED = [...GO_TEMPLATE, ...JSONPATH, ...JSON_YAML, 'name'];

export function badFormat(format: string, extra: string[] = []): never {
  return fail(
    `unable to match a printer suitable for the output format ${goQuote(format)}, allowed formats are: ${[...ALLOWED, ...extra].sort().join(',')}`,
  );
}

/** `jsonpath={.x}` -> its name and template; --template wins over what follows the `=`. */
function splitFormat(cmd: Cmd, names: string[]): { name: string; template: string } | null {
  const format = flag(cmd, 'output');
  const template = flag(cmd, 'template');
  if (template) return names.includes(format) ? { name: format, template } : null;
  if (names.includes(format)) return { name: format, template: '' };
  const hit = names.find(n => format.startsWith(`${n}=`));
  return hit ? { name: hit, template: format.slice(hit.length + 1) } : null;
}

/** Objects lose their managedFields unless --show-managed-fields. */
export function withoutManagedFields(cmd: Cmd, o: any): any {
  if (bool(cmd, 'show-managed-fields')) return o;
  const strip = (x: any) => {
    if (!x?.metadata || !('managedFields' in x.metadata)) return x;
    // Not as `{ managedFields: _, ...metadata }`: reading them loads them.
    const kept = Object.keys(x.metadata).filter(key => key !== 'managedFields');
    return { ...x, metadata: Object.fromEntries(kept.map(key => [key, x.metadata[key]])) };
  };
  if (Array.isArray(o?.items)) return { ...strip(o), items: o.items.map(strip) };
  return strip(o);
}

function watchEvent(o: any): boolean {
  return o && 'watchEventType' in o;
}

const TYPED = new Set(['run', 'expose', 'autoscale', 'taint', 'auth whoami', 'auth reconcile']);

/** Commands that decode what the server answers into Go types; the others keep it as it came. */
export const holdsTypes = (path: string): boolean => TYPED.has(path) || /^(create|set|rollout) /.test(path);

/** The printer of -o, or null: -o was not given (or is `wide`). `operation`: for `-o name`, nothing is appended. */
export function printerOf(cmd: Cmd): Printer | null {
  let format = flag(cmd, 'output');
  const template = flag(cmd, 'template');
  if (!format && template) format = 'go-template';
  if (!format || format === 'wide') return null;
  const templates = splitTemplates(cmd, format);
  if (templates) return templates;
  let documents = 0;
  switch (format) {
    case 'json': {
      const json = holdsTypes(cmd.path) ? lazy('typed').typedJson : goJsonIndent;
      return o =>
        out(cmd, watchEvent(o) ? `${lineJson({ type: o.watchEventType, object: o.object })}\n` : `${json(withoutManagedFields(cmd, o))}\n`);
    }
    case 'yaml':
      return o => {
        if (documents++) out(cmd, '---\n');
        out(
          cmd,
          lazy('yaml').toYaml(
            watchEvent(o) ? { object: withoutManagedFields(cmd, o.object), type: o.watchEventType } : withoutManagedFields(cmd, o),
          ),
        );
      };
    case 'kyaml':
      return o => out(cmd, `---\n${kyamlText(cmd, withoutManagedFields(cmd, o))}\n`);
    case 'name':
      return o => printNames(cmd, watchEvent(o) ? o.object : o);
  }
  return null;
}

function kyamlText(cmd: Cmd, o: any): string {
  const { kyaml } = lazy('kyaml');
  if (!holdsTypes(cmd.path)) return kyaml(o);
  const { typeOf, typedEntries } = lazy('typed');
  return kyaml(o, typeOf(o), typedEntries);
}

const lineJson = (v: unknown) => JSON.stringify(v);

function printNames(cmd: Cmd, o: any): void {
  if (Array.isArray(o.items)) for (const item of o.items) printNames(cmd, item);
  else out(cmd, `${objectName(o)}\n`);
}

function splitTemplates(cmd: Cmd, format: string): Printer | null {
  const jp = splitFormat(cmd, JSONPATH);
  const gt =
    splitFormat(cmd, GO_TEMPLATE) ??
    (format === 'go-template' && flag(cmd, 'template') ? { name: format, template: flag(cmd, 'template') } : null);
  const t = jp ?? gt;
  if (!t) return null;
  if (!t.template) fail('template format specified but no template given');
  let text = t.template;
  if (t.name.endsWith('file')) {
    try {
      text = readText(cmd, t.template);
    } catch (e) {
      fail(`error reading --template ${t.template}, ${(e as { message: string }).message}`);
    }
  }
  const missing = cmd.flags.values.has('allow-missing-template-keys') ? bool(cmd, 'allow-missing-template-keys') : true;
  return jp ? jsonPathPrinter(cmd, text, missing, jp.name === 'jsonpath-as-json') : lazy('template').templatePrinter(cmd, text, missing);
}

function jsonPathPrinter(cmd: Cmd, text: string, missing: boolean, asJson: boolean): Printer {
  const { parseJsonPath, executeJsonPath, isJsonPathError } = lazy('jsonpath');
  let nodes: ReturnType<typeof parseJsonPath>;
  try {
    nodes = parseJsonPath(text);
  } catch (e) {
    if (!isJsonPathError(e)) throw e;
    return fail(`error parsing jsonpath ${text}, ${e.jsonpath}`);
  }
  return object => {
    const o = watchEvent(object) ? { type: object.watchEventType, object: object.object } : object;
    try {
      out(cmd, executeJsonPath(nodes, o, missing, asJson));
    } catch (e) {
      if (!isJsonPathError(e)) throw e;
      fail(
        `error executing jsonpath ${goQuote(text)}: Error executing template: ${e.jsonpath}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${text}\n\tobject given to jsonpath engine was:\n\t\t${goSyntax(o)}\n\n\n`,
      );
    }
  };
}

/** -o custom-columns; null: another format. */
export function columnsPrinterOf(cmd: Cmd): Printer | null {
  const c = splitFormat(cmd, CUSTOM);
  if (!c) return null;
  const { columnsOfSpec, columnsOfTemplate, printColumns } = lazy('columns');
  if (!c.template) fail('custom-columns format specified but no custom columns given');
  let columns: ReturnType<typeof columnsOfSpec>;
  let headers = !bool(cmd, 'no-headers');
  if (c.name === 'custom-columns-file') {
    let text = '';
    try {
      text = readText(cmd, c.template);
    } catch (e) {
      throw exitFailure(1, `error: error reading template ${c.template}, ${(e as { message: string }).message}\n`);
    }
    columns = columnsOfTemplate(text);
    headers = true;
  } else columns = columnsOfSpec(c.template);
  let first = true;
  return o => {
    out(
      cmd,
      printColumns(
        columns,
        Array.isArray(o.items) ? o.items : [watchEvent(o) ? { type: o.watchEventType, object: o.object } : o],
        headers && first,
      ),
    );
    first = false;
  };
}

/** The printer of verbs that change things: the object with -o, else `deployment.apps/web created`. */
export function resultPrinter(cmd: Cmd, operation: string, suffix = ''): Printer {
  const format = flag(cmd, 'output');
  const p = printerOf(cmd);
  if (p && format !== 'name') return p;
  if (format && format !== 'name') badFormat(format);
  return (o: KubeObject) => out(cmd, format === 'name' ? `${objectName(o)}\n` : `${objectName(o)} ${operation}${suffix}\n`);
}

/** ` (dry run)` and ` (server dry run)`. */
export const dryRunSuffix = (mode: string): string => (mode === 'client' ? ' (dry run)' : mode === 'server' ? ' (server dry run)' : '');

export const columnLabels = (cmd: Cmd): string[] => list(cmd, 'label-columns');
export const groupOf = (o: KubeObject): string => splitApiVersion(o.apiVersion).group;
