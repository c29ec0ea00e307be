//! Conflicts: showing who says what, and deciding.

use serde_json::Value;
use survey_forms::answers::{AnswerPath, Value as Answer};

use crate::phone::{Phone, Turn};
use crate::problem::PhoneError;

impl Phone {
    /// `Conflict[]` of the protocol.
    pub(crate) fn conflicts(&mut self, unit: &str, turn: &mut Turn) -> Result<Value, PhoneError> {
        let names = self.names();
        let conflicts = match &self.open {
            Some(open) if open.unit == unit => open.conflicts(&names),
            // A closed response is looked at as an interview that nobody answers in.
            _ => {
                self.require_known(unit)?;
                self.glanced(unit, turn)?.conflicts(&names)
            }
        };
        Ok(serde_json::to_value(conflicts)?)
    }

    /// A person decides between the answers of several people.
    pub(crate) fn settle(
        &mut self,
        unit: &str,
        path: &AnswerPath,
        value: Option<Answer>,
        turn: &mut Turn,
    ) -> Result<Value, PhoneError> {
        match &mut self.open {
            Some(open) if open.unit == unit => {
                if let Some(refused) = open.settle(path, value, turn.now) {
                    return Err(refused.into());
                }
                self.keep_steps(turn);
                self.keep_events(turn);
            }
            _ => {
                self.require_known(unit)?;
                // The form has its say as in an interview, also about what follows from the answer.
                let mut glance = self.glanced(unit, turn)?;
                if let Some(refused) = glance.settle(path, value, turn.now) {
                    return Err(refused.into());
                }
                let steps = glance.session.store_mut().take_new();
                self.write_change(turn, unit, |edit| crate::interview::draft::write(edit, &steps))?;
            }
        }
        self.conflicts(unit, turn)
    }
}
