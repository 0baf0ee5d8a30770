/* @ts-self-types="./core.d.ts" */

function __wbg_reset_state () {
    __wbg_instance_id++;
    __wbg_reinit_scheduled = false;
    wasmInstance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());
    wasm = wasmInstance.exports;
    wasm.__wbindgen_start();
}

/**
 * Where the last answer is; it is there until the next call.
 * @returns {number}
 */
export function answerAt() {
    let ret;
    __wbg_call_guard();
    ret = wasm.answerAt();
    return ret >>> 0;
}

/**
 * Makes search and replace edits in a file, all of them or none.
 *
 * Request: the contents, if there is a file; for each edit two byte strings and whether all occurrences are meant. Answer: whether they were made;
 * if so the contents and a table of edit, old start, old end, new start and new end; if not, for each wrong edit its number, its kind, what is wrong
 * as a sentence, and a table of lines.
 * @returns {number}
 */
export function applyEdits() {
    let ret;
    __wbg_call_guard();
    ret = wasm.applyEdits();
    return ret >>> 0;
}

/**
 * Applies a patch to a set of files.
 *
 * Request: whether lenient, folders to strip, whether reversed, fuzz, the patch; for each file its path, mode and contents. Answer: for each file of the patch, after their number,
 * whether it was applied, and if not why: a kind, a sentence, and the rejected hunks with their number, offset in the patch, kind and sentence; then the number of written
 * files with path, mode and contents, and the number of deleted paths with each.
 * @returns {number}
 */
export function applyPatch() {
    let ret;
    __wbg_call_guard();
    ret = wasm.applyPatch();
    return ret >>> 0;
}

/**
 * Looks paths up in rule files, as `git check-ignore --no-index` does. Request: the number of rule files, and of each its folder and its contents, those of one folder in
 * ascending order of precedence; for each path the path and whether it is a folder. Answer: for each path whether a rule decides on it; if so the
 * index of the rule file, the line, whether the rule begins with `!`.
 * @returns {number}
 */
export function checkIgnored() {
    let ret;
    __wbg_call_guard();
    ret = wasm.checkIgnored();
    return ret >>> 0;
}

/**
 * Checks a patch alone.
 *
 * Request: whether lenient, folders to strip, the patch. Answer: the number of findings, and of each the file and the hunk, where its line is in the patch, the side (0 old, 1
 * new), the line, the kind, the confidence (0 low, 1 medium, 2 high), and what is weaker.
 * @returns {number}
 */
export function checkPatchWeakening() {
    let ret;
    __wbg_call_guard();
    ret = wasm.checkPatchWeakening();
    return ret >>> 0;
}

/**
 * Checks whether a change weakens the tests.
 *
 * Request: for each changed file its path, and its contents before and after, each if there are any. Answer: the number of findings, and of each the file, the side
 * (0 old, 1 new), the line, start, end, the kind, the confidence (0 low, 1 medium, 2 high), and what is weaker.
 * @returns {number}
 */
export function checkWeakening() {
    let ret;
    __wbg_call_guard();
    ret = wasm.checkWeakening();
    return ret >>> 0;
}

/**
 * Counts hits. Request: the number of the index, the pattern, whether it is a regex, any case, word, budget, two lists of globs. Answer: hits (u64), documents.
 * @returns {number}
 */
export function countHits() {
    let ret;
    __wbg_call_guard();
    ret = wasm.countHits();
    return ret >>> 0;
}

/**
 * Makes an empty index. Request: most bytes of a file, most bytes of a line on the average; 0: the usual. Answer: its number.
 * @returns {number}
 */
export function createIndex() {
    let ret;
    __wbg_call_guard();
    ret = wasm.createIndex();
    return ret >>> 0;
}

/**
 * Makes a redactor. Request: the known secrets. Answer: its number.
 * @returns {number}
 */
export function createRedactor() {
    let ret;
    __wbg_call_guard();
    ret = wasm.createRedactor();
    return ret >>> 0;
}

/**
 * Compares pairs of texts.
 *
 * Request: the options (see `Asked`), whether words are wanted, then for each pair two byte strings. Answer: for each pair lines added, lines removed, whether
 * degraded, the hunks as a byte string, a table with the first and the end line before and after of each change; with words, for each change whether
 * there are any, and two tables of ranges.
 * @returns {number}
 */
export function diffTexts() {
    let ret;
    __wbg_call_guard();
    ret = wasm.diffTexts();
    return ret >>> 0;
}

/**
 * Compares two trees.
 *
 * Request: the options (see `Asked`), whether names are quoted, the least similarity of a rename in percent (0: there are none), the limit of their search (0: the
 * usual), and for each tree the number of its entries, and of each path, mode, the object id if it is known, and contents. Answer: whether degraded, the
 * number of changed files, and of each what happens (0 modify, 1 create, 2 delete, 3 rename), old path, new path, old mode and new mode, each after whether there
 * is one, the similarity, lines added, lines removed, whether binary, whether degraded, and its patch.
 * @returns {number}
 */
export function diffTrees() {
    let ret;
    __wbg_call_guard();
    ret = wasm.diffTrees();
    return ret >>> 0;
}

/**
 * Lets go of an index.
 * @param {number} number
 */
export function disposeIndex(number) {
    __wbg_call_guard();
    wasm.disposeIndex(number);
}

/**
 * Lets go of a redactor.
 * @param {number} number
 */
export function disposeRedactor(number) {
    __wbg_call_guard();
    wasm.disposeRedactor(number);
}

/**
 * Finds definitions by name. Request: the number of the index, the name, whether it is the beginning of names, the limit, a list of kinds (empty: all), budget
 * (u64; 0: the usual), two lists of globs: only, not. Answer: whether there is more; the number of definitions, and of each path, name, kind, line,
 * last line, start and end of the name.
 * @returns {number}
 */
export function findDefinitions() {
    let ret;
    __wbg_call_guard();
    ret = wasm.findDefinitions();
    return ret >>> 0;
}

/**
 * Judges the change from one tree to another.
 *
 * Request: the two listings as `git ls-tree -r -z` writes them, each followed by the number of symlinks and for each its path and its target; then lists of byte strings, each
 * after its length: globs that allow, globs that deny, classes with a verdict each (0 allow, 1 report, 2 deny), tolerated violations. Answer: the number of
 * changed paths, and of each the path, its canonical form, what happened (0 added, 1 modified, 2 deleted, 3 affected), the classes by name; the number of findings, and of
 * each the index of its path, the violation by name, a sentence.
 * @returns {number}
 */
export function judgePaths() {
    let ret;
    __wbg_call_guard();
    ret = wasm.judgePaths();
    return ret >>> 0;
}

/**
 * Lists what a file of an index defines. Request: the number of the index, the path. Answer: whether the file is in the index; if so its definitions, as
 * `outline_texts` writes them.
 * @returns {number}
 */
export function outlineFile() {
    let ret;
    __wbg_call_guard();
    ret = wasm.outlineFile();
    return ret >>> 0;
}

/**
 * Lists what texts define.
 *
 * Request: for each text its path, which says the language, and its contents. Answer: for each text whether its language is known; if so the number
 * of its definitions, and of each its name, its kind (0 function, 1 method, 2 class, 3 interface, 4 implementation, 5 type, 6 module, 7 constant, 8 macro, 9 test),
 * line, last line, start and end of the name, start and end of the whole, the place of the definition around it in the list plus one (0: there is none).
 * @returns {number}
 */
export function outlineTexts() {
    let ret;
    __wbg_call_guard();
    ret = wasm.outlineTexts();
    return ret >>> 0;
}

/**
 * Takes files in, or forgets them. Request: the number of the index; for each file its path and its contents, if it still is. Answer: for each file why it
 * is not searched (0 it is, 1 binary, 2 too large, 3 minified, 4 ignored).
 * @returns {number}
 */
export function putFiles() {
    let ret;
    __wbg_call_guard();
    ret = wasm.putFiles();
    return ret >>> 0;
}

/**
 * Reads a patch.
 *
 * Request: whether lenient, folders to strip, the patch. Answer: the number of files, and of each what happens (0 modify, 1 create, 2 delete, 3 rename, 4 copy),
 * where it is in the patch, its old path and new path, its old and new mode and the similarity, each after whether there is one, whether it is binary, the number of hunks,
 * and of each where it is in the patch, old start, old lines, new start, new lines (u64), whether they say a place, and what stands behind them.
 * @returns {number}
 */
export function readPatch() {
    let ret;
    __wbg_call_guard();
    ret = wasm.readPatch();
    return ret >>> 0;
}

/**
 * Passes a chunk of a stream through a redactor. Request: its number, whether the stream ends with the chunk, the chunk. Answer: what can be shown.
 * @returns {number}
 */
export function redact() {
    let ret;
    __wbg_call_guard();
    ret = wasm.redact();
    return ret >>> 0;
}

/**
 * Makes room for a request of so many bytes and returns where it is to be written. 0: there is no memory for it.
 * @param {number} len
 * @returns {number}
 */
export function requestAt(len) {
    let ret;
    __wbg_call_guard();
    ret = wasm.requestAt(len);
    return ret >>> 0;
}

/**
 * Lets the next call find a fresh instance: after a trap, or to give back memory.
 */
export function restart() {
    __wbg_call_guard();
    wasm.restart();
}

/**
 * Finds the secrets of texts.
 *
 * Request: whether comments may allow secrets; for each text its path and its bytes. Answer: for each text the number of findings, and of each the rule,
 * a preview, the severity (0 suspect, 1 medium, 2 high), start, end, line and column.
 * @returns {number}
 */
export function scanSecrets() {
    let ret;
    __wbg_call_guard();
    ret = wasm.scanSecrets();
    return ret >>> 0;
}

/**
 * Searches. Request: the number of the index, the pattern, whether it is a regex, any case, word, the limit, lines before, lines behind, budget (u64; 0: the
 * usual), two lists of globs: only, not. Answer: whether there is more; the number of hits, and of each path, line, start, end, the first line shown, the lines.
 * @returns {number}
 */
export function search() {
    let ret;
    __wbg_call_guard();
    ret = wasm.search();
    return ret >>> 0;
}

/**
 * Sets the key of all hash tables, which nobody who writes an input may know.
 * @param {number} low
 * @param {number} high
 */
export function setSeed(low, high) {
    __wbg_call_guard();
    wasm.setSeed(low, high);
}

/**
 * The glue calls it in each fresh instance.
 */
export function start() {
    __wbg_call_guard();
    wasm.start();
}

/**
 * The memory of the instance. A view of it is void after each call, since the memory may have grown.
 * @returns {any}
 */
export function wasmMemory() {
    let ret;
    __wbg_call_guard();
    ret = wasm.wasmMemory();
    return ret;
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg___wbindgen_memory_de265df8aadd6273: function() {
            const ret = wasm.memory;
            return ret;
        },
        __wbg___wbindgen_reinit_ecd4a8d70c8ce492: function() {
            __wbg_reinit_scheduled = true;
        },
        __wbindgen_init_externref_table: function() {
            const table = wasm.__wbindgen_externrefs;
            const offset = table.grow(4);
            table.set(0, undefined);
            table.set(offset + 0, undefined);
            table.set(offset + 1, null);
            table.set(offset + 2, true);
            table.set(offset + 3, false);
        },
    };
    return {
        __proto__: null,
        "./core_bg.js": import0,
    };
}

function __wbg_call_guard() {
    if (__wbg_reinit_scheduled) {
        __wbg_reset_state();
        return;
    }
}


let __wbg_instance_id = 0;

let __wbg_reinit_scheduled = false;

let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    wasm.__wbindgen_start();
    return wasm;
}

async function __wbg_load(module, imports) {
    if (typeof Response === 'function' && module instanceof Response) {
        if (typeof WebAssembly.instantiateStreaming === 'function') {
            try {
                return await WebAssembly.instantiateStreaming(module, imports);
            } catch (e) {
                const validResponse = module.ok && expectedResponseType(module.type);

                if (validResponse && module.headers.get('Content-Type') !== 'application/wasm') {
                    console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);

                } else { throw e; }
            }
        }

        const bytes = await module.arrayBuffer();
        return await WebAssembly.instantiate(bytes, imports);
    } else {
        const instance = await WebAssembly.instantiate(module, imports);

        if (instance instanceof WebAssembly.Instance) {
            return { instance, module };
        } else {
            return instance;
        }
    }

    function expectedResponseType(type) {
        switch (type) {
            case 'basic': case 'cors': case 'default': return true;
        }
        return false;
    }
}

function initSync(module) {
    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }

    const imports = __wbg_get_imports();
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;


    if (module_or_path !== undefined) {
        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
            console.warn('using deprecated parameters for the initialization function; pass a single object instead')
        }
    }

    if (module_or_path === undefined) {
        module_or_path = new URL('core_bg.wasm', import.meta.url);
    }
    const imports = __wbg_get_imports();

    if (typeof module_or_path === 'string' || (typeof Request === 'function' && module_or_path instanceof Request) || (typeof URL === 'function' && module_or_path instanceof URL)) {
        module_or_path = fetch(module_or_path);
    }

    const { instance, module } = await __wbg_load(await module_or_path, imports);

    return __wbg_finalize_init(instance, module);
}

export { initSync, __wbg_init as default };
