/** What `aisle doctor` finds, and where it looks. Types only. */
import type { Severity } from '../../ui/doctor/types';
import type { Policy } from './policy';

export interface Finding {
  readonly severity: Severity;
  /** Stable. */
  readonly code: string;
  /** What is so, in one sentence; the files may be its subject. */
  readonly what: string;
  readonly todo?: string;
  /** Files that it is about, as addresses, or as paths inside the folder. */
  readonly files: readonly string[];
}

/** Where files come from. */
export interface Site {
  /** What answers at an address; undefined for one that is not looked at: of another host, where a folder is checked. */
  get(url: URL, options?: { readonly from?: URL }): Promise<Answer | undefined>;
  /** An address as a person knows it. */
  name(url: URL): string;
}

export interface Answer {
  /** After redirects. */
  readonly url: URL;
  /** 0 if nothing answers. */
  readonly status: number;
  /** Absent of files in a folder. */
  readonly headers?: Headers;
  readonly bytes: Uint8Array;
  /** Why nothing came, in words. */
  readonly failure?: string;
}

/** A page, and what it allows. */
export interface Page {
  readonly url: URL;
  readonly policies: readonly Policy[];
  /** Of the tag of `embed.js`. */
  readonly nonce: string | undefined;
}

/** Takes a finding; several of one code and sentence become one about all of their files. */
export type Add = (severity: Severity, code: string, file: string, what: string, todo?: string) => void;
