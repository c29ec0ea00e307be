//! Devices: invitations, enrolment, who is asking, who may have written, what officials decide about them, and the installation's own keys.

mod authentication;
mod authority;
mod authors;
mod body;
mod enrolment;
mod grants;
mod installation;
mod invitation;
mod official;
mod roster;
mod rotation;
mod succession;
mod team;

pub use authentication::{Caller, Deliverer, Token};
pub use authority::{AuthorityError, Decision, ListedDevice, decide, list};
pub(crate) use authors::{Enrolled, enrolled, public_key_of};
pub(crate) use body::Subject;
pub use enrolment::{Enrolment, EnrolmentRequest};
pub(crate) use installation::write_secret;
pub use installation::{InstallationKeyError, InstallationKeys};
pub use invitation::{Invitation, InvitationError, InvitationKind, Invitee, invite};
pub(crate) use official::admit_official;
pub use roster::{
    Imported, ROSTER_BYTES, Roster, RosterDevice, RosterError, RosterHamlet, export_roster, import_roster, read_roster,
    roster_of,
};
pub use rotation::Rotation;
pub use succession::{StatedSuccession, SuccessionError};
pub use team::{InvitationQuestion, Invited, team_of};

use axum::Router;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::hex;

/// The routes of this module.
pub fn routes() -> Router<App> {
    enrolment::routes().merge(rotation::routes()).merge(team::routes())
}

/// A bearer token, and the hash under which it is kept.
fn new_token() -> Result<(String, Vec<u8>), getrandom::Error> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)?;
    let token = hex::encode(&secret);
    let hash = secret_hash(&token);
    Ok((token, hash))
}

/// The hash under which a secret of high entropy is kept: the secret itself never is.
fn secret_hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
