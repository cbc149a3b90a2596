// pm2 as the one who starts our primary at boot and again if it ends; the workers are the primary's. pm2 start pm2.config.cjs
module.exports = {
  apps: [
    {
      name: 'app',
      script: 'node_modules/.bin/fastify-ah',
      args: 'start cluster --port 8080',
      // The shebang says what runs it.
      interpreter: 'none',
      // In its cluster mode pm2 would be a second manager, on top of ours.
      exec_mode: 'fork',
      instances: 1,
      // The signal is for the primary, which drains the workers; pm2 would send it to each of them as well.
      treekill: false,
      // Longer than --drain-ms, --not-ready-ms and 2 s together, and than graceMs of the tasks.
      kill_timeout: 60_000,
      env: { NODE_ENV: 'production' },
    },
  ],
}
