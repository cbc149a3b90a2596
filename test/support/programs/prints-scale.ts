// Prints what the scale and the seed make of this environment.
import { random, scaled } from '../index.ts'

console.log(JSON.stringify({ scaled: [scaled(1_000), scaled(10), scaled(10, 3)], random: [random(), random()] }))
