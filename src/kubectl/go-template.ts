// -o go-template (cli-runtime v0.36.3, pkg/printers/template.go).

import { sprint } from '../sim/go-print.ts';
import { execute } from '../sim/go-template/execute.ts';
import { SHORT_CIRCUIT } from '../sim/go-template/functions.ts';
import { isTemplateError, parseTemplate, type Template } from '../sim/go-template/parse.ts';
import { goQuote } from '../sim/quote.ts';
import { type Cmd, out } from './command.ts';
import { fail } from './failure.ts';
import { goJson } from './go-json.ts';
import type { Printer } from './print-flags.ts';
import { KUBECTL_FUNCTIONS } from './template-functions.ts';

const NAMES = new Set([...Object.keys(KUBECTL_FUNCTIONS), ...SHORT_CIRCUIT]);

export function templatePrinter(cmd: Cmd, text: string, allowMissing: boolean): Printer {
  let template: Template;
  try {
    template = parseTemplate('output', text, NAMES);
  } catch (e) {
    if (!isTemplateError(e)) throw e;
    return fail(`error parsing template ${text}, ${e.template}`);
  }
  return object => {
    const data = JSON.parse(JSON.stringify('watchEventType' in object ? { type: object.watchEventType, object: object.object } : object));
    const written: string[] = [];
    try {
      execute(template, data, { allowMissing, functions: KUBECTL_FUNCTIONS }, written);
      out(cmd, written.join(''));
    } catch (e) {
      if (!isTemplateError(e)) throw e;
      const why = e.template;
      out(
        cmd,
        `${written.join('')}Error executing template: ${why}. Printing more information for debugging the template:\n\ttemplate was:\n\t\t${text}\n\traw data was:\n\t\t${goJson(data)}\n\tobject given to template engine was:\n\t\t${sprint(data)}\n\n`,
      );
      fail(`error executing template ${goQuote(text)}: ${why}`);
    }
  };
}
