//! What JavaScript calls. A request is written where [`request`] says, [`call`] handles it and gives the length of the
//! reply, which is read where [`reply`] says. Addresses hold until the next call, because memory may move.
//!
//! The only unsafe thing here is that the functions keep their names (`no_mangle`): two functions of one name would make a
//! broken program. The names below are all that the module exports, so there are no two. No pointer is followed in Rust.

use std::cell::RefCell;

use crate::{MAX_FRAME_BYTES, Phone};

/// The module's memory of one phone; WebAssembly without threads has one.
#[derive(Default)]
struct Memory {
    request: Vec<u8>,
    reply: Vec<u8>,
    phone: Phone,
}

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// Makes room for a request of `length` bytes and says where; null where it is longer than [`MAX_FRAME_BYTES`].
#[expect(unsafe_code, reason = "JavaScript finds the function by its name; no other has it")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn request(length: usize) -> *mut u8 {
    if length > MAX_FRAME_BYTES {
        return std::ptr::null_mut();
    }
    MEMORY.with_borrow_mut(|memory| {
        memory.request.clear();
        memory.request.resize(length, 0);
        memory.request.as_mut_ptr()
    })
}

/// Handles the request and gives the length of the reply in bytes.
#[expect(unsafe_code, reason = "JavaScript finds the function by its name; no other has it")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn call() -> usize {
    MEMORY.with_borrow_mut(|memory| {
        // A request may be the whole storage: its room is not kept.
        let request = std::mem::take(&mut memory.request);
        memory.reply = memory.phone.handle(&request);
        memory.reply.len()
    })
}

/// Where the reply to the last call stands.
#[expect(unsafe_code, reason = "JavaScript finds the function by its name; no other has it")]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn reply() -> *const u8 {
    MEMORY.with_borrow(|memory| memory.reply.as_ptr())
}
