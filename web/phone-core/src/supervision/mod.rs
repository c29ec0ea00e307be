//! What a team's leader sees and decides on the phone: progress, who is to do which household, and reviews of interviews.
//!
//! Everything is worked out from what the phone has anyway, the responses and the assignment of its hamlets. Decisions are
//! made without a network as well: they wait in a queue, count on this phone at once, and are forgotten only after the
//! server has answered.
//!
//! | room | subject |
//! | --- | --- |
//! | `decisions` | the queue, and what it says to and hears from the server |
//! | `standing` | how a household stands by what the server told and what waits here |
//! | `evidence` | what of a response is looked at, kept with its line in the list |
//! | `flags` | what in the evidence a leader should look at, in words |
//! | `team` | the shapes that pages show |

mod decisions;
mod evidence;
mod flags;
mod standing;
mod team;

pub(crate) use decisions::{DecisionRecord, MadeDecision};
pub(crate) use evidence::Evidence;
pub(crate) use standing::ReviewState;
