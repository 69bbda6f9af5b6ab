import { type Money, percentOf } from '../money.js';
import type { Remedy } from './award.js';
import type { DecisionCase } from './decision-input.js';
import type { AmountRule, Policy, Rule } from './policy.js';
import type { MinorAmount } from './policy-values.js';
import { monthCount, pointCount, showMoney } from './wording.js';

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
    case 'points':
      return { remedy: gives, arithmetic: pointCount(gives.points), unknownCurrency: false };
    default: {
      const { kind } = gives;
      const { currency } = order.total;
      const known = policy.currencies[currency] !== undefined || names(gives.amount, currency);
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
 * An amount that stands in a policy, in the order's currency. Of a number `currencies` says which percent applies, rounded
 * half up; amounts by currency are exact. Null in a currency that is not named.
 */
export function scaled(
  minor: MinorAmount,
  currency: string,
  { currencies }: Pick<Policy, 'currencies'>,
): number | null {
  if (typeof minor === 'object') return minor[currency] ?? null;
  const factor = currencies[currency];
  return factor === undefined ? null : percentOf(minor, factor);
}

/** Whether an amount says itself what it is in the currency. */
function names(rule: AmountRule, currency: string): boolean {
  const amounts = rule.of === 'fixed' ? [rule.minor] : [rule.minMinor, rule.maxMinor];
  return amounts.some((amount) => typeof amount === 'object' && amount[currency] !== undefined);
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
