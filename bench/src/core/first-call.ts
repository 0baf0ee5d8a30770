/** Prints how many milliseconds a fresh process takes from loading the core to its first answer: reading, compiling, instantiating, and a diff. */
import { loadCore } from '@millwright/native-wasm';

const start = performance.now();
const core = await loadCore();
const [diff] = core.diffTexts([{ before: 'one\n', after: 'two\n' }]);
if (diff?.added !== 1) throw new Error('the core does not answer as it should');
console.log(performance.now() - start);
