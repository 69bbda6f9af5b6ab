import { hasRedis, startRedis } from './redis.js';

/** Where BullMQ works: each pipeline test runs on both, the second where there is a redis-server. */
export const BACKENDS: readonly {
  readonly backend: 'postgres' | 'redis';
  start(): Promise<{ redisUrl?: string; stop(): Promise<void>; flushAll(): Promise<void> }>;
}[] = [
  { backend: 'postgres', start: async () => ({ stop: async () => {}, flushAll: async () => {} }) },
  ...(hasRedis()
    ? [
        {
          backend: 'redis' as const,
          async start() {
            const redis = await startRedis();
            return { redisUrl: redis.url, stop: redis.stop, flushAll: redis.flushAll };
          },
        },
      ]
    : []),
];
