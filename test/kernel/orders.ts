// What the comparing process and its agents say to each other.

/** `mayFail`: whatever it says; `tries`: again a little later, so often. */
export interface Command {
  argv: string[];
  stdin: string;
  mayFail?: boolean;
  tries?: number;
}

export interface Serving {
  name: string;
  proto: 'tcp' | 'udp';
  address: string;
  port: number;
  /** TCP: connections are made, and never heard of again. */
  mute?: boolean;
}

export interface Asked {
  proto: 'tcp' | 'udp';
  address: string;
  port: number;
  /** So many attempts, side by side or one after another. */
  count: number;
  sequential: boolean;
}

/** `verdict`: connected, timeout, silent (connected, and nothing came), reset, or the errno's name. */
export interface Heard {
  verdict: string;
  backend?: string;
  source?: string;
}

/** What a command came to. */
export interface Said {
  code: number;
  out: string;
  err: string;
}

/** run, sysctls and serve answer what went wrong, or null; ask answers a list of attempts for each probe, say what each command said. */
export type Order =
  | { do: 'run'; commands: Command[] }
  | { do: 'sysctls'; settings: [key: string, value: string][] }
  | { do: 'say'; commands: Command[] }
  | { do: 'serve'; list: Serving[] }
  | { do: 'ask'; probes: Asked[]; timeoutMs: number };
