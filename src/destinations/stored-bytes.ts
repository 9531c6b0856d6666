/** Size and digest of bytes. */
export interface BytesFound {
  readonly sizeBytes: number;
  /** "sha256:" and 64 lower-case hex digits. */
  readonly digest: string;
}

/** How work on files is followed and given up. */
export interface FileRun {
  readonly signal: AbortSignal;
  readonly progress: (bytesDone: number, bytesTotal: number) => void;
}

/** What destinations have done to files off the main thread; the bytes pool does it. */
export interface FileWork {
  /** Copies a file into a new one, durably, and answers with what is read back from there. Rejects with FailureError. */
  copy(job: { readonly path: string; readonly name: string; readonly target: string }, run: FileRun): Promise<BytesFound>;
  /** Size and digest of a file. Rejects with FailureError. */
  digest(job: { readonly path: string; readonly name: string }, run: FileRun): Promise<BytesFound>;
}
