import type { Provider, ProviderName, ProviderOptions } from './provider.js';
import { createShopifyProvider } from './shopify.js';
import { createStripeProvider } from './stripe.js';
import { createWebhookProvider } from './webhook.js';

/** What of the configuration says who carries out awards. */
interface ProviderConfig {
  readonly awardWebhook: { readonly url: string; readonly secrets: readonly string[] } | null;
  readonly stripe: { readonly apiKey: string; readonly apiUrl: string } | null;
  readonly shopify: { readonly shopUrl: string; readonly accessToken: string } | null;
}

/** Those who can carry out awards outside, as far as they are set up. Nothing is asked of them yet. */
export function openProviders(
  { awardWebhook, stripe, shopify }: ProviderConfig,
  options: ProviderOptions = {},
): ReadonlyMap<ProviderName, Provider> {
  const providers = [
    ...(awardWebhook ? [createWebhookProvider(awardWebhook, options)] : []),
    ...(stripe ? [createStripeProvider(stripe, options)] : []),
    ...(shopify ? [createShopifyProvider(shopify, options)] : []),
  ];
  return new Map(providers.map((provider) => [provider.name, provider]));
}
