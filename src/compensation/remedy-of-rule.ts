import { type Money, percentOf } from '../money.js';
import type { Remedy } from './award.js';
import type { DecisionCase } from './decision-input.js';
import type { AmountRule, Policy, Rule } from './policy.js';
import { monthCount, showMoney } from './wording.js';

type Order = DecisionCase['order'];

/** What a rule gives for an order, with the arithmetic in words. */
export interface Giving {
  readonly remedy: Remedy;
  readonly arithmetic: string;
  /** The policy has no amounts for the order's currency: the amount is 0 until a person names one. */
  readonly unknownCurrency: boolean;
}

/** Null for a rule that calls for a task instead of an award. Moneys are in the order's currency. */
export function remedyOfRule({ gives, class: name }: Rule, order: Order, policy: Policy): Giving | null {
  switch (gives.kind) {
    case 'call':
      return null;
    case 'membership_extension': {
      return { remedy: gives, arithmetic: monthCount(gives.months), unknownCurrency: false };
    }
    case 'replacement':
      return { remedy: gives, arithmetic: `shipping ${gives.shipping}`, unknownCurrency: false };
    default: {
      const { kind } = gives;
      const { currency } = order.total;
      const known = policy.currencies[currency] !== undefined;
      const wait = !known && policy.classes[name]?.heldInOtherCurrencies === true;
      const sum = wait ? null : amountOf(gives.amount, order, policy);
      if (sum !== null) {
        return { remedy: { kind, amount: sum.amount }, arithmetic: sum.arithmetic, unknownCurrency: false };
      }
      const arithmetic = `the policy has no amounts in ${currency}, so a person must name it`;
      return { remedy: { kind, amount: { amountMinor: 0, currency } }, arithmetic, unknownCurrency: true };
    }
  }
}

/**
 * Minor units that stand in a policy, in the order's currency: `currencies` says which percent of them applies, rounded
 * half up. Null in a currency that the policy does not name.
 */
export function scaled(minor: number, currency: string, { currencies }: Policy): number | null {
  const factor = currencies[currency];
  return factor === undefined ? null : percentOf(minor, factor);
}

/** Null when the rule names minor units and the policy does not say what they are in the order's currency. */
function amountOf(rule: AmountRule, order: Order, policy: Policy): { amount: Money; arithmetic: string } | null {
  const { currency } = order.total;
  if (rule.of === 'fixed') {
    const amountMinor = scaled(rule.minor, currency, policy);
    if (amountMinor === null) return null;
    const amount = { amountMinor, currency };
    return { amount, arithmetic: `${showMoney(amount)} fixed` };
  }
  const [base, name] = rule.of === 'total' ? [order.total, 'the total'] : [order.shippingPaid, 'the shipping paid'];
  const plain = percentOf(base.amountMinor, rule.percent);
  const least = rule.minMinor === undefined ? 0 : scaled(rule.minMinor, currency, policy);
  const most = rule.maxMinor === undefined ? Number.MAX_SAFE_INTEGER : scaled(rule.maxMinor, currency, policy);
  if (least === null || most === null) return null;
  const amount = { amountMinor: Math.min(Math.max(plain, least), most), currency };
  const share = `${rule.percent} % of ${name} ${showMoney(base)} is ${showMoney({ amountMinor: plain, currency })}`;
  if (plain < least) return { amount, arithmetic: `${share}, raised to the least of ${showMoney(amount)}` };
  if (plain > most) return { amount, arithmetic: `${share}, cut to the most of ${showMoney(amount)}` };
  return { amount, arithmetic: share };
}
