// Owns a wrong host clock inside a process under test: Date is off by so many ms; timers and performance.now() are not.

const shiftMs = Number(process.env['AH_TEST_SHIFT_DATE_MS'] ?? 0)

if (shiftMs !== 0) {
  const RealDate = globalThis.Date
  const realNow = RealDate.now
  RealDate.now = () => realNow() + shiftMs
  // A proxy and no subclass: Date() without new must go on working, and so must instanceof for dates made by Node itself.
  const shifted = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget) as Date,
    apply: (target) => new target(target.now()).toString(),
  })
  RealDate.prototype.constructor = shifted
  globalThis.Date = shifted
}
