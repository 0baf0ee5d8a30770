/** Nearest-rank percentile of unsorted values; `p` between 0 and 100. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('no values');
  return value;
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  if (middle.length === 0) throw new RangeError('no values');
  return middle.reduce((a, b) => a + b, 0) / middle.length;
}

/** Slope of the straight line through the points with the least squared error: change of y per unit of x. */
export function slope(points: readonly { x: number; y: number }[]): number {
  if (points.length < 2) throw new RangeError('a line needs two points');
  const mean = (of: 'x' | 'y') => points.reduce((total, point) => total + point[of], 0) / points.length;
  const [meanX, meanY] = [mean('x'), mean('y')];
  let products = 0;
  let squares = 0;
  for (const { x, y } of points) {
    products += (x - meanX) * (y - meanY);
    squares += (x - meanX) ** 2;
  }
  if (squares === 0) throw new RangeError('the points have the same x');
  return products / squares;
}
