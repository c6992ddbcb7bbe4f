// One value given on the command line or in a file, as YAML or JSON.

import { lazy } from './lazy.ts';

export function yamlOrJson(text: string): { value: unknown } | { error: string } {
  return lazy('manifest').readValue(text);
}
