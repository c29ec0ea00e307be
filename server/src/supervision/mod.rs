//! Supervision of the field work: who is to do which unit, and what was found of an interview.
//!
//! Leaders of teams decide on their phones, also without a network, and officials by command. Both make [`Decision`]s, which
//! are only ever added to; what counts follows from them ([`standing`]). A review is about what its author had seen: as soon
//! as the log has more of the response, the interview counts as received again.

mod deciding;
mod decision;
mod route;
mod standing;

pub use deciding::{Decider, decide};
pub use decision::{Decision, Judgement, Refusal, Review, ReviewState};
pub(crate) use route::routes;
pub use standing::{PastDecision, Person, Standing, StandingReview, history, standing};
