// Median, quartiles, and the interval of a median, all from order statistics: nothing is assumed of the distribution.

/** The middle of the numbers. */
export function median(numbers) {
  return quantile(numbers, 0.5)
}

/** The lower and the upper quartile: the spread that is printed beside a median. */
export function quartiles(numbers) {
  return [quantile(numbers, 0.25), quantile(numbers, 0.75)]
}

/**
 * An interval that holds the true median with a probability of at least 95 %: the k-th smallest and the k-th largest
 * number, k by the binomial distribution. Up to 5 numbers cannot give that much, so their whole range is the answer.
 */
export function medianInterval(numbers) {
  const sorted = ascending(numbers)
  const count = sorted.length
  let cut = 0
  let below = 0.5 ** count
  let tail = below
  while (2 * tail <= 0.05) {
    cut += 1
    below *= (count - cut + 1) / cut
    tail += below
  }
  const from = Math.max(cut, 1) - 1
  return [sorted[from], sorted[count - 1 - from]]
}

function quantile(numbers, share) {
  const sorted = ascending(numbers)
  const place = (sorted.length - 1) * share
  const low = sorted[Math.floor(place)]
  const high = sorted[Math.ceil(place)]
  return low + (high - low) * (place - Math.floor(place))
}

function ascending(numbers) {
  if (numbers.length === 0) throw new Error('no numbers to take a median of')
  return [...numbers].sort((a, b) => a - b)
}
