// Owns the recurring tasks that several processes of a test plan alike: else they would count as releases.

/** One by frequency, one by the clock. */
export const recurring = [
  { name: 'often', queue: 'often', frequencyMs: 200 },
  { name: 'clock', queue: 'clock', cron: '* * * * * *' },
] as const
