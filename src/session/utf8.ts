/** Whether `bytes[start…end)` is valid UTF-8 (RFC 3629: no overlong forms, no surrogates) without NUL bytes. */
export function isText(bytes: Uint8Array, start: number, end: number): boolean {
  let i = start;
  while (i < end) {
    const lead = bytes[i++]!;
    if (lead < 0x80) {
      if (lead === 0) return false;
      continue;
    }
    const more =
      lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : 0;
    if (more === 0 || i + more > end) return false;
    const second = bytes[i]!;
    if (lead === 0xe0 && second < 0xa0) return false; // overlong
    if (lead === 0xed && second > 0x9f) return false; // surrogate
    if (lead === 0xf0 && second < 0x90) return false; // overlong
    if (lead === 0xf4 && second > 0x8f) return false; // beyond U+10FFFF
    for (let k = 0; k < more; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return false;
    i += more;
  }
  return true;
}

/** Which of the two faults an id that is not text has. */
export function textFault(bytes: Uint8Array, start: number, end: number): 'a NUL byte' | 'invalid UTF-8' {
  return bytes.subarray(start, end).includes(0) ? 'a NUL byte' : 'invalid UTF-8';
}

/** Bytes as a short quoted text for a message: control characters escaped, cut after 40 characters. */
export function quote(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(start, Math.min(end, start + 160)));
  const characters = Array.from(text);
  const short = characters.slice(0, 40).join('');
  return JSON.stringify(characters.length > 40 || end > start + 160 ? `${short}…` : short);
}

/** A cell as text; `ignoreBOM` keeps one that starts with U+FEFF whole. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
