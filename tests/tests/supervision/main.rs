//! Supervision: leaders of teams assign households and review interviews, within their hamlets, once however often they send,
//! and never about more than they have seen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a step that fails is a failed test"
)]

mod phones;
mod server;

/// The hamlets of an installation.
const HAMLETS: [&str; 2] = ["28249-01", "28270-01"];
