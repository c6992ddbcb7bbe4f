/** What a cycle works on. */
export interface State {
  line: number;
  pattern: string;
  hold: string;
  appended: string[];
  substituted: boolean;
  quit: number | null;
  lastRegex: RegExp | null;
  newline: boolean;
}
