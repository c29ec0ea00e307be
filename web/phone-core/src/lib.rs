//! What a volunteer's phone knows and decides: its households and their responses, the open interview, conflicts, and the
//! exchange with the server.
//!
//! The crate does no I/O. The page's worker hands in requests with the time and chance ([`Phone::handle`]) and makes
//! durable what a reply says *before* it passes the reply on ([`Frame`], [`StoreChanges`]). Whatever is killed in between,
//! the next start finds either all of a request or nothing of it. The network is the worker's too: the core says what to
//! ask ([`exchange`]) and takes what came.
//!
//! | room | subject |
//! | --- | --- |
//! | [`Phone`] | requests by name, and the state that they are about |
//! | `frame` | requests and replies as bytes |
//! | `starting` | what is stored becomes the state again |
//! | `record` | what is kept on the phone, and in which pieces |
//! | `adding` | households that are not on the list |
//! | `household` | one unit: its response, what of it is unsent, and its line in the list |
//! | `interview` | the open interview: draft answers, steps, what the page shows |
//! | `exchange` | enrolment, the assignment, pushing and pulling, new keys |
//! | `attachments` | pictures and recordings, until the server has them |
//! | `supervision` | what a team's leader sees and decides |
//! | `carrying` | sealed bundles, for files, QR codes and a phone whose app is broken; what is carried for others |
//! | `exports` | the three functions that JavaScript calls |

mod adding;
mod assignment;
mod attachments;
mod carrying;
#[cfg(target_family = "wasm")]
mod chance;
mod exchange;
#[cfg(target_family = "wasm")]
mod exports;
mod frame;
mod household;
mod interview;
mod interviewing;
mod key;
mod listing;
mod outcome;
mod phone;
mod problem;
mod record;
mod requests;
mod settling;
mod starting;
mod store;
mod supervision;

pub use frame::{Frame, FrameError, MAX_FRAME_BYTES};
pub use phone::Phone;
pub use problem::PhoneError;
pub use store::StoreChanges;
