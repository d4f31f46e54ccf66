// Preloaded into every service of the local network: when the supervisor dies without a word, the channel
// to it closes, and the service stops as if it had been asked to.
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel.unref();
}
