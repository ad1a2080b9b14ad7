/** The shop's rules for slots. Loaded if there are any, or if they cannot be read. */
import { checkRules, type Rule } from '../checkpoint/rules';
import { reasonOf } from '../errors';
import type { LiveCatalogueParts } from './live-catalogue';

/**
 * The rules that can be carried out. `degrade` says which cannot, or why there are none.
 *
 * @param given What `rules.json` holds, or the error of reading it.
 */
export function checkedRules(
  given: unknown,
  { degrade, mend }: Pick<LiveCatalogueParts, 'degrade' | 'mend'>,
): readonly Rule[] {
  const { rules, wrong } = given instanceof Error ? { rules: [], wrong: [reasonOf(given)] } : checkRules(given);
  if (wrong.length > 0) degrade('bad-rules', `rules.json: ${wrong.join('; ')}. They are left out; see docs/slots.md`);
  else mend('bad-rules');
  return rules;
}
