/** Takes a core for some of each period, both in milliseconds, until its input ends. */

const [taken, period] = process.argv.slice(2).map(Number) as [number, number];
const cell = new Int32Array(new SharedArrayBuffer(4));

// The process that wants it slow may end without a word, after which nothing may go on here.
const STOPS_TO_LOOK = Math.round(1000 / period);

process.stdout.write('burning\n');
process.stdin.on('end', () => process.exit());
process.stdin.resume();

function burn(): void {
  let next = performance.now();
  for (let count = 0; count < STOPS_TO_LOOK; count += 1) {
    const until = next + taken;
    next += period;
    while (performance.now() < until);
    const rest = next - performance.now();
    if (rest > 0) Atomics.wait(cell, 0, 0, rest);
    else next = performance.now();
  }
  setImmediate(burn);
}
burn();
