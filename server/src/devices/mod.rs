//! Devices: invitations, enrolment, who is asking, who may have written, and the installation's own keys.

mod authentication;
mod authors;
mod enrolment;
mod installation;
mod invitation;
mod roster;

pub use authentication::{Caller, Token};
pub(crate) use authors::enrolled_authors;
pub use enrolment::{Enrolment, EnrolmentRequest, routes};
pub(crate) use installation::write_secret;
pub use installation::{InstallationKeyError, InstallationKeys};
pub use invitation::{Invitation, InvitationError, InvitationKind, invite};
pub use roster::{
    Imported, ROSTER_BYTES, Roster, RosterDevice, RosterError, RosterHamlet, export_roster, import_roster, read_roster,
    roster_of,
};

use sha2::{Digest, Sha256};

/// The hash under which a secret of high entropy is kept: the secret itself never is.
fn secret_hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
