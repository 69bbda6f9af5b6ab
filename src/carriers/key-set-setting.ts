import { readKeySet } from './shipengine/key-set.js';

/** Whether a setting is a JSON Web Key Set itself, and not the address of one. */
export function isKeySetDocument(setting: string): boolean {
  return setting.startsWith('{');
}

/** The settings in the value of a variable: a document is one, with all its commas; addresses are separated by commas. */
export function keySetSettingsOf(value: string): string[] {
  return isKeySetDocument(value) ? [value] : value.split(',').map((url) => url.trim());
}

/** What is wrong with a setting, as the end of a sentence; null: nothing. */
export function keySetFault(setting: string): string | null {
  if (isKeySetDocument(setting)) {
    return readKeySet(setting) === null ? 'is no JSON Web Key Set with an RSA key of at least 2048 bits' : null;
  }
  if (!URL.canParse(setting)) return 'must be the address of a key set, or the key set itself as JSON';
  const { protocol, hostname, username, password } = new URL(setting);
  if (username !== '' || password !== '') return 'must be an address without user and password: keys are public';
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  // Whoever is between us and the key server could hand us keys of their own.
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback)) return null;
  return 'must be an address with https://, or http:// to this machine itself';
}
