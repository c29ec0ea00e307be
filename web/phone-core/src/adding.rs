//! Households that are not on the list: adding them, and correcting where they are.

use rand_chacha::rand_core::Rng as _;
use serde_json::{Value, json};
use sync_core::unit::AddedUnit;

use crate::phone::{Phone, Turn};
use crate::problem::PhoneError;

impl Phone {
    /// Adds a household to one of the phone's hamlets: `{ unit, households }` of the protocol. Its response begins with the
    /// address, so that it reaches the server and the other phones of the hamlet as every answer does.
    pub(crate) fn add_household(&mut self, hamlet: &str, address: &str, turn: &mut Turn) -> Result<Value, PhoneError> {
        let (_, assignment) = self.assignment.as_ref().ok_or(PhoneError::NotEnrolled)?;
        if !assignment.round.open {
            return Err(PhoneError::RoundClosed);
        }
        if !assignment.device.hamlets.iter().any(|ours| ours.code == hamlet) {
            return Err(PhoneError::UnknownHamlet(hamlet.to_owned()));
        }
        let mut chance = [0; 6];
        turn.random.fill_bytes(&mut chance);
        let unit = AddedUnit::new(hamlet, chance).to_string();
        if let Err(error) = self.write_change(turn, &unit, |edit| edit.list_household(address)) {
            self.households.remove(&unit);
            return Err(error);
        }
        Ok(json!({ "unit": unit, "households": self.told_households(turn)? }))
    }

    /// Says better where an added household is to be found.
    pub(crate) fn correct_address(&mut self, unit: &str, address: &str, turn: &mut Turn) -> Result<Value, PhoneError> {
        self.require_closed(unit)?;
        if AddedUnit::parse(unit).is_none() {
            return Err(PhoneError::Listed(unit.to_owned()));
        }
        self.write_change(turn, unit, |edit| edit.list_household(address))?;
        self.told_households(turn)
    }

    /// The address that an added household's response says.
    pub(crate) fn added_address(&self, unit: &str) -> Option<&str> {
        AddedUnit::parse(unit)?;
        self.households.get(unit)?.summary.as_ref()?.address.as_deref()
    }
}
