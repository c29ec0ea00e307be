//! Where libraries find chance in the module: WebAssembly has no system to ask, so that `getrandom` is told to call
//! [`__getrandom_v03_custom`] (`getrandom_backend` in `.cargo/config.toml`).
//!
//! Automerge draws the actor of each document that it opens, which nothing here writes with. Keys and identities come from the
//! requests' own chance ([`crate::phone::Turn`]), never from here.

use std::cell::RefCell;

use getrandom::Error;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

thread_local! {
    static CHANCE: RefCell<Option<ChaCha20Rng>> = const { RefCell::new(None) };
}

/// Takes a request's chance for what is drawn while it is handled.
pub(crate) fn seed(random: &mut ChaCha20Rng) {
    let mut seed = [0; 32];
    random.fill_bytes(&mut seed);
    CHANCE.with_borrow_mut(|chance| *chance = Some(ChaCha20Rng::from_seed(seed)));
}

/// Fills `length` bytes at `place` with chance.
///
/// # Errors
/// Before the first request.
///
/// # Safety
/// `place` must be valid for writing `length` bytes, as `getrandom` promises of the buffer that its caller gave it.
#[expect(
    unsafe_code,
    reason = "getrandom finds the function by its name, and hands over a buffer by its address"
)]
#[unsafe(no_mangle)]
unsafe extern "Rust" fn __getrandom_v03_custom(place: *mut u8, length: usize) -> Result<(), Error> {
    CHANCE.with_borrow_mut(|chance| {
        let chance = chance.as_mut().ok_or(Error::UNSUPPORTED)?;
        // SAFETY: the caller promises that the bytes may be written; they are before they are seen as initialised.
        let bytes = unsafe {
            std::ptr::write_bytes(place, 0, length);
            std::slice::from_raw_parts_mut(place, length)
        };
        chance.fill_bytes(bytes);
        Ok(())
    })
}
