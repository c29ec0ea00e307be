//! Devices: invitations, enrolment, and who is asking.

mod authentication;
mod enrolment;
mod invitation;

pub use authentication::{Caller, Token};
pub use enrolment::{Enrolment, EnrolmentRequest, routes};
pub use invitation::{Invitation, InvitationError, invite};

use sha2::{Digest, Sha256};

/// The hash under which a secret of high entropy is kept: the secret itself never is.
fn secret_hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
