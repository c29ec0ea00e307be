//! Set reconciliation: two replicas find which changes one has and the other lacks, in bytes that grow with the
//! difference and not with the sets.
//!
//! A cursor says how far a device has read one server's log. It says nothing after a phone or a server was restored, to
//! another hub, or between two phones. Then both sides know their changes by hash, and the initiator asks the
//! [responder](answer) for a rateless invertible Bloom lookup table of its set: cells, each the sum of some of its
//! hashes. Less the initiator's own hashes, what remains are the sums of the hashes that one side lacks, and with about
//! one and a half cells a hash they can be solved. Method: L. Yang, Y. Gilad, M. Alizadeh, *Practical Rateless Set
//! Reconciliation* (SIGCOMM 2024, arXiv:2402.02668); why it and not another: `docs/decisions/0010-set-reconciliation.md`;
//! every byte: `docs/protocol-reconciliation.md`.
//!
//! | file | subject |
//! | --- | --- |
//! | `set` | the hashes of a replica, and their digest |
//! | `cell` | which cells a hash is added to, and the cells of a set |
//! | `message` | the bytes of request and answer |
//! | `peeling` | solving the cells |
//! | `estimate` | how many cells will be needed |
//! | `initiator` | the side that asks and learns the difference |
//! | `responder` | the side that answers, without a memory of earlier requests |
//! | `error`, `limits` | why it ends without a result, and when |
//!
//! # What can be trusted
//! Nothing that the other side sends is believed until the difference turns its digest (SHA-256 over the sorted set) into
//! that of the initiator's set with the difference applied. So neither a collision of the 64-bit checksums nor a damaged
//! message can yield a wrong difference or a false "nothing differs": the session ends with a
//! [`ReconciliationError`], and the caller exchanges everything instead. A responder can understate what it has, which
//! costs bytes; it cannot claim a change of whose hash it does not know, since the digest would be wrong.

mod cell;
mod error;
mod estimate;
mod initiator;
mod limits;
mod message;
mod peeling;
mod responder;
mod set;

pub use error::{Fault, ReconciliationError};
pub use initiator::{Difference, Initiator, Step};
pub use limits::Limits;
pub use message::{MAX_CELLS, REQUEST_BYTES, VERSION};
pub use responder::answer;
pub use set::{ChangeSet, Salt};
