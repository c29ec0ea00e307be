//! The form engine as a WebAssembly module of its own, as a phone would load it: without `wasm-bindgen`, without the
//! reader of workbooks, without response documents.
//!
//! It exists to be measured. `cargo xtask bench wasm` builds it, weighs it against its budget and fills a large form with
//! it in Node; `cargo xtask test --only wasm` weighs it too. Everything that a phone asks of a form can be reached through
//! [`Module::handle`], so that the linker keeps what a phone needs and no more.
//!
//! | room | subject |
//! | --- | --- |
//! | [`Module`] | requests and replies as JSON over one session |
//! | `exports` | the three functions that JavaScript calls |
//! | `size` | the module's weight and its budget |

#[cfg(target_family = "wasm")]
mod exports;
mod module;
mod replies;
#[cfg(not(target_family = "wasm"))]
pub mod size;

pub use module::{MAX_REQUEST_BYTES, Module, ModuleError, Request};
