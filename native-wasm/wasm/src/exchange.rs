//! The two buffers through which JavaScript and the core exchange requests and answers.

use crate::frame::{Reader, Writer};
use millwright_core::Limit;
use millwright_core::hash::Seed;
use std::cell::{Cell, RefCell};
use wasm_bindgen::prelude::*;

/// Room for a request that is kept for the next one. The memory of an instance never gets smaller, but what is free in it can be used for all.
const KEPT_BYTES: usize = 32 << 20;

thread_local! {
    /// The request, and behind it what is left of longer ones: bytes that are there need not be made zero again.
    static REQUEST: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static REQUEST_LEN: Cell<usize> = const { Cell::new(0) };
    static SEED: Cell<u64> = const { Cell::new(0) };
    static ANSWER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// What the answer refers to.
    static KEPT: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// The glue calls it in each fresh instance.
#[wasm_bindgen(start)]
pub fn start() {}

/// Makes room for a request of so many bytes and returns where it is to be written. 0: there is no memory for it.
#[wasm_bindgen(js_name = requestAt)]
pub fn request_at(len: u32) -> usize {
    let len = len as usize;
    REQUEST_LEN.set(len);
    REQUEST.with_borrow_mut(|request| {
        if request.len() < len {
            // Without a copy of what is in it.
            *request = Vec::new();
            if request.try_reserve_exact(len).is_err() {
                return 0;
            }
            request.resize(len, 0);
        }
        request.as_mut_ptr() as usize
    })
}

/// Where the last answer is; it is there until the next call.
#[wasm_bindgen(js_name = answerAt)]
pub fn answer_at() -> usize {
    ANSWER.with_borrow(|answer| answer.as_ptr() as usize)
}

/// The memory of the instance. A view of it is void after each call, since the memory may have grown.
#[wasm_bindgen(js_name = wasmMemory)]
pub fn wasm_memory() -> JsValue {
    wasm_bindgen::memory()
}

/// Lets the next call find a fresh instance: after a trap, or to give back memory.
#[wasm_bindgen]
pub fn restart() {
    wasm_bindgen::handler::schedule_reinit();
}

/// Sets the key of all hash tables, which nobody who writes an input may know.
#[wasm_bindgen(js_name = setSeed)]
pub fn set_seed(low: u32, high: u32) {
    SEED.set(u64::from(low) | u64::from(high) << 32);
}

/// The key of all hash tables.
pub fn seed() -> Seed {
    Seed(SEED.get())
}

/// An error on its way to JavaScript.
pub struct Failure {
    /// What code decides by, in camel case.
    pub code: &'static str,
    /// For people: what is wrong and what to change.
    pub message: String,
    /// Where in the input, in bytes.
    pub offset: Option<u64>,
    /// Which item of a batch.
    pub item: Option<u32>,
}

impl Failure {
    pub const fn new(code: &'static str, message: String) -> Self {
        Self { code, message, offset: None, item: None }
    }

    /// The failure of an item of a batch.
    pub fn of(self, item: u32) -> Self {
        Self { item: Some(item), ..self }
    }
}

impl From<Limit> for Failure {
    fn from(limit: Limit) -> Self {
        let code = match limit {
            Limit::Budget { .. } => "Budget",
            Limit::Size { .. } => "Size",
            _ => "Memory",
        };
        Self::new(code, limit.to_string())
    }
}

/// Runs an operation on the request. Returns the length of its answer.
pub fn answer(operation: impl FnOnce(&mut Reader<'_>, &mut Writer) -> Result<(), Failure>) -> usize {
    let request = REQUEST.take();
    KEPT.take();
    let mut writer = Writer::default();
    writer.u32(1);
    let fields = request.get(..REQUEST_LEN.get()).unwrap_or_default();
    if let Err(failure) = operation(&mut Reader::new(fields), &mut writer) {
        writer = refusal(&failure);
    }
    if request.len() <= KEPT_BYTES {
        REQUEST.set(request);
    }
    let (bytes, kept) = writer.finish();
    let len = bytes.len();
    ANSWER.set(bytes);
    KEPT.set(kept);
    len
}

fn refusal(Failure { code, message, offset, item }: &Failure) -> Writer {
    let mut writer = Writer::default();
    writer.u32(0);
    for text in [code.as_bytes(), message.as_bytes()] {
        // Some hundred bytes: without room for them there is none for anything.
        let _ = writer.bytes(text);
    }
    writer.bool(offset.is_some());
    writer.u64(offset.unwrap_or_default());
    writer.bool(item.is_some());
    writer.u32(item.unwrap_or_default());
    writer
}
