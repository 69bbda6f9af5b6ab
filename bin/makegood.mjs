#!/usr/bin/env node
process.argv.splice(2, 0, 'makegood');
await import('./run.mjs');
