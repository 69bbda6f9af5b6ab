import type { Provider, ProviderName, ProviderOptions } from './provider.js';

/** What of the configuration says who carries out awards. */
interface ProviderConfig {
  readonly awardWebhook: { readonly url: string; readonly secrets: readonly string[] } | null;
  readonly stripe: { readonly apiKey: string; readonly apiUrl: string } | null;
  readonly shopify: { readonly shopUrl: string; readonly accessToken: string } | null;
}

/**
 * Those who can carry out awards outside, as far as they are set up. Nothing is asked of them yet. Their packages are loaded only
 * for those: that of Stripe alone would add a third of a second to every start.
 */
export async function openProviders(
  { awardWebhook, stripe, shopify }: ProviderConfig,
  options: ProviderOptions = {},
): Promise<ReadonlyMap<ProviderName, Provider>> {
  const providers = [
    ...(awardWebhook ? [(await import('./webhook.js')).createWebhookProvider(awardWebhook, options)] : []),
    ...(stripe ? [(await import('./stripe.js')).createStripeProvider(stripe, options)] : []),
    ...(shopify ? [(await import('./shopify.js')).createShopifyProvider(shopify, options)] : []),
  ];
  return new Map(providers.map((provider) => [provider.name, provider]));
}
