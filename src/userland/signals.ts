// Signal names as the tools take them: TERM, SIGTERM, 15.
const NUMBERS: Record<string, number> = {
  EXIT: 0,
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  WINCH: 28,
};

export const SIGNAL_LIST: string[] = Object.keys(NUMBERS).slice(1);

/** The name without SIG; '0' for 0; null: no such signal. */
export function signalName(text: string): string | null {
  if (text === '0') return '0';
  if (/^\d+$/.test(text)) return Object.keys(NUMBERS).find(name => NUMBERS[name] === Number(text)) ?? null;
  const name = text.toUpperCase().replace(/^SIG/, '');
  if (name === 'ERR' || name === 'DEBUG' || name === 'RETURN') return name;
  return NUMBERS[name] === undefined ? null : name;
}
