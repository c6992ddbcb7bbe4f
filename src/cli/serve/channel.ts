// A two-way stream of bytes, whatever carries it.

export interface Channel {
  write: (data: Uint8Array) => void;
  end: () => void;
  /** Set by who reads it. */
  onData: (data: Uint8Array) => void;
  /** The other side is done, or gone. Called once. */
  onEnd: () => void;
}
