// Error texts that several extensions share (libxtables 1.8.9: xtoptions.c, xtables_param_act).
// They end with a newline of their own, so that an empty line follows.
import { type Option, type Problem, usage } from './values.ts';

export const badNumber = (module: string, option: string): Problem =>
  usage(`${module}: bad integer value for option "${option}", or out of range.\n`);

export const badRange = (module: string, option: string, min: number, max: number): Problem =>
  usage(`${module}: bad value for option "${option}", or out of range (${min}-${max}).\n`);

export const needsOption = (module: string, option: string): Problem => usage(`${module}: option "${option}" must be specified\n`);

export const needsAlso = (module: string, option: string, other: string): Problem =>
  usage(`${module}: option "${option}" also requires "${other}".\n`);

export const onlyOnce = (module: string, option: string): Problem => usage(`${module}: option "${option}" can only be used once.\n`);

export const notTogether = (module: string, option: string, other: string): Problem =>
  usage(`${module}: option "${option}" cannot be used together with "${other}".\n`);

/** The first option that is given twice, for modules whose options are all single. */
export function repeated(module: string, options: Option[]): Problem | null {
  for (let i = 1; i < options.length; i++)
    for (let j = 0; j < i; j++) if (options[i].name === options[j].name) return onlyOnce(module, options[i].name);
  return null;
}
